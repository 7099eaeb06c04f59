// Layers as the store keeps them: an EROFS image, and beside it what its builder could tell about it.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseDigest } from '../../spec/image/digest.ts';
import type { ErofsLayer } from '../erofs/sink.ts';
import { ImageError } from '../error.ts';
import type { Store } from './store.ts';

/** One file of the store that is mounted for an image. */
export interface StackFile {
  /** `layers` by diffID: built by itself. `chains` by chain ID: made for the layers that are below it there. */
  readonly kind: 'layers' | 'chains';
  readonly digest: string;
}

export interface LayerInfo extends ErofsLayer {
  /** Bytes of the uncompressed archive; 0 for what hull has added. */
  readonly tarSize: number;
}

export const LAYER_SUFFIX = '.erofs';
export const INFO_SUFFIX = '.json';

/** Without a suffix. A digest is parsed before it becomes part of a path. */
export function layerStem(store: Store, kind: StackFile['kind'] | 'trees', digest: string): string {
  const parsed = parseDigest(digest);
  if (parsed === undefined) throw new ImageError('REJECTED', `${JSON.stringify(digest)} is not a digest`);
  return path.join(store.directory(kind), parsed.algorithm, parsed.hex);
}

export const layerFile = (store: Store, { kind, digest }: StackFile): string =>
  layerStem(store, kind, digest) + LAYER_SUFFIX;

/** The info is written first, so the image's name stands for both. */
export const hasLayer = (store: Store, file: StackFile): boolean => existsSync(layerFile(store, file));

export function readLayerInfo(store: Store, { kind, digest }: StackFile): LayerInfo {
  return JSON.parse(readFileSync(layerStem(store, kind, digest) + INFO_SUFFIX, 'utf8')) as LayerInfo;
}
