// Whole roots in plain directories, for kernels that cannot mount the store's layers.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { treeStem } from '../store/collect.ts';
import { Lock } from '../store/lock.ts';
import type { ImageRecord } from '../store/record.ts';
import { stagingPath } from '../store/staging.ts';
import type { Store } from '../store/store.ts';
import { unpackStored } from '../unpack/unpack-image.ts';

/** Unpacked once for all containers of the image, which have it below their own changes. The store is locked. */
export async function ensureTree(store: Store, image: ImageRecord): Promise<string> {
  const tree = treeStem(store, image);
  if (existsSync(tree)) return tree;
  const staged = stagingPath(store, `tree-${path.basename(tree)}`);
  using _building = await Lock.acquire(`${staged}.lock`, 'exclusive');
  if (existsSync(tree)) return tree;
  rmSync(staged, { recursive: true, force: true });
  await unpackStored(store, image, staged);
  mkdirSync(path.dirname(tree), { recursive: true, mode: 0o700 });
  renameSync(staged, tree);
  return tree;
}
