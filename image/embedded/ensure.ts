// Brings the embedded image into a store on first use.
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { importImage } from '../import.ts';
import { collectGarbage } from '../store/collect.ts';
import { findImage, type ImageRecord, listImages } from '../store/record.ts';
import { stagingPath } from '../store/staging.ts';
import type { Store } from '../store/store.ts';
import { assembledProgram } from './assembled.ts';
import { findBusybox } from './busybox.ts';
import { writeLayout } from './layout-writer.ts';
import { type StaticProgram, WELCOME_TAG, welcomeImage } from './welcome.ts';

/** What the store calls it. */
export const EMBEDDED_IMAGE = 'hull/welcome:latest';

/** Of the host's static busybox; `fallback` makes the program for a host without one. */
export async function ensureEmbeddedImage(
  store: Store,
  fallback: () => StaticProgram = assembledProgram,
): Promise<ImageRecord> {
  if (listImages(store).some(({ name }) => name === EMBEDDED_IMAGE)) return findImage(store, EMBEDDED_IMAGE);
  try {
    return await importWelcome(store, findBusybox() ?? fallback());
  } finally {
    collectGarbage(store);
  }
}

async function importWelcome(store: Store, program: StaticProgram): Promise<ImageRecord> {
  // While it is held, what is in staging is not garbage.
  using _adding = await store.lock('shared');
  const layout = stagingPath(store, `layout-${randomBytes(8).toString('hex')}`);
  try {
    await writeLayout(layout, welcomeImage(program));
    return await importImage(store, `oci:${layout}:${WELCOME_TAG}`, {
      name: EMBEDDED_IMAGE,
      source: 'embedded',
    });
  } finally {
    rmSync(layout, { recursive: true, force: true });
  }
}
