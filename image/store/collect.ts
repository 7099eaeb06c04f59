// Removes what nobody needs: mark from images and leases, sweep the rest.
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { chainIds } from './chain-id.ts';
import { INFO_SUFFIX, LAYER_SUFFIX, layerStem, type StackFile } from './layer-file.ts';
import { type Lease, sweepLeases } from './lease.ts';
import { listImages } from './record.ts';
import type { Store, StoreDirectory } from './store.ts';

/**
 * Sweeps the store, or returns false while another process adds to it: then that one sweeps when it is done. Whoever
 * adds holds the lock, so whatever is unfinished or unreferenced here was left by the dead.
 */
export function collectGarbage(store: Store): boolean {
  using lock = store.tryLock('exclusive');
  if (lock === undefined) return false;
  for (const name of readdirSync(store.directory('staging'))) remove(store.directory('staging'), name);
  const images = [...listImages(store), ...sweepLeases(store)];
  sweep(store, 'layers', new Set(images.flatMap((image) => stems(store, image, 'layers'))));
  sweep(store, 'chains', new Set(images.flatMap((image) => stems(store, image, 'chains'))));
  sweep(store, 'trees', new Set(images.map((image) => treeStem(store, image))));
  return true;
}

type Referrer = Pick<Lease, 'layers' | 'files'>;

/** The tree of all of an image's layers. */
export function treeStem(store: Store, { layers }: Pick<Referrer, 'layers'>): string {
  return layerStem(store, 'trees', chainIds(layers.map(({ diffId }) => diffId)).at(-1) ?? '');
}

/** A layer that was built anew for its chain is kept by itself too: the next import would need it to know that. */
function stems(store: Store, { layers, files }: Referrer, kind: StackFile['kind']): string[] {
  const own = kind === 'layers' ? layers.map(({ diffId }) => diffId) : [];
  const mounted = files.filter((file) => file.kind === kind).map(({ digest }) => digest);
  return [...own, ...mounted].map((digest) => layerStem(store, kind, digest));
}

function sweep(store: Store, kind: StoreDirectory, keep: ReadonlySet<string>): void {
  for (const algorithm of readdirSync(store.directory(kind))) {
    const directory = path.join(store.directory(kind), algorithm);
    // The image goes before its info: while the image's name is there, both are.
    for (const name of readdirSync(directory).sort()) {
      const stem = path.join(directory, name).replace(new RegExp(`(?:${LAYER_SUFFIX}|${INFO_SUFFIX})$`), '');
      if (!keep.has(stem)) remove(directory, name);
    }
  }
}

const remove = (directory: string, name: string): void =>
  rmSync(path.join(directory, name), { recursive: true, force: true });
