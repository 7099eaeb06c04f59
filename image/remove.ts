// Images leave the store; their layers do when nothing else needs them.

import { ImageError } from './error.ts';
import { collectGarbage } from './store/collect.ts';
import { findImage, type ImageRecord, listImages, removeRecord } from './store/record.ts';
import type { Store } from './store/store.ts';

export interface Removed {
  readonly image: ImageRecord;
  /** Whether unneeded layers are gone; if not, another process is adding to the store and removes them when done. */
  readonly isCollected: boolean;
}

/** @param image A name, or the ID of an image that has one name only. @throws {ImageError} */
export function removeImage(store: Store, image: string): Removed {
  const record = findImage(store, image);
  const names = listImages(store).filter(({ id }) => id === record.id);
  const isNamed = names.some(({ name }) => name === image || name === `${image}:latest`);
  if (!isNamed && names.length > 1) {
    const list = names.map(({ name }) => `"${name}"`).join(', ');
    throw new ImageError('IN_USE', `image "${image}" has several names, remove them by name: ${list}`);
  }
  removeRecord(store, record.name);
  return { image: record, isCollected: collectGarbage(store) };
}
