// One layer becomes one file of the store, unless it is there.
import { rmSync } from 'node:fs';
import { release } from 'node:os';
import { createErofsSink, type ErofsOptions } from '../erofs/sink.ts';
import { buildLayer } from '../layer/build.ts';
import type { LayerEntry } from '../layer/entry.ts';
import type { LowerTree } from '../layer/lower-tree.ts';
import { sliceChunks } from '../source/chunks.ts';
import type { SourceLayer } from '../source/image-source.ts';
import {
  hasLayer,
  INFO_SUFFIX,
  LAYER_SUFFIX,
  type LayerInfo,
  layerStem,
  type StackFile,
} from './layer-file.ts';
import { Lock } from './lock.ts';
import { openStaged, publish, stagingPath, writeWhole } from './staging.ts';
import type { Store } from './store.ts';

export interface BuildContext {
  /** For a layer that means something by what is below it. */
  readonly lower?: LowerTree | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of the blob that have been read. */
  readonly onProgress?: ((blobBytes: number) => void) | undefined;
}

/** From the layer's blob, verified on the way. */
export function ensureLayer(
  store: Store,
  place: StackFile,
  layer: SourceLayer,
  { lower, signal, onProgress }: BuildContext = {},
): Promise<void> {
  return ensureFile(store, place, async (fd) => {
    using slice = layer.open();
    const { output, tarSize } = await buildLayer(sliceChunks(slice), {
      sink: createErofsSink(fd, { ...OPTIONS, lower }),
      blobSize: layer.size,
      blobDigest: layer.digest,
      diffId: layer.diffId,
      signal,
      onProgress: onProgress && (({ blobBytes }) => onProgress(blobBytes)),
    });
    return { ...output, tarSize };
  });
}

/** A layer of our own making. */
export function ensureEntries(store: Store, place: StackFile, entries: readonly LayerEntry[]): Promise<void> {
  return ensureFile(store, place, async (fd) => {
    const sink = createErofsSink(fd, OPTIONS);
    for (const entry of entries) sink.entry(entry);
    return { ...sink.end({ diffId: place.digest }), tarSize: 0 };
  });
}

/** EROFS has blocks smaller than a page since Linux 6.4; without them, contents have to be copied to page borders. */
export function blockSizeFor(kernelRelease: string): 512 | 4096 {
  const [major = 0, minor = 0] = kernelRelease.split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 4) ? 512 : 4096;
}

const OPTIONS: ErofsOptions = { blockSize: blockSizeFor(release()) };

/**
 * Waits for whoever builds the same file, then builds it or finds it built. The lock is a file of its own, and stays
 * until the store is swept: a lock on the file itself would go with its first name.
 */
async function ensureFile(
  store: Store,
  place: StackFile,
  make: (fd: number) => Promise<LayerInfo>,
): Promise<void> {
  if (hasLayer(store, place)) return;
  const staged = stagingPath(store, `${place.kind}-${place.digest.replace(':', '-')}`);
  using _building = await Lock.acquire(`${staged}.lock`, 'exclusive');
  if (hasLayer(store, place)) return;
  try {
    using file = openStaged(staged);
    const info = await make(file.number);
    const stem = layerStem(store, place.kind, place.digest);
    writeWhole(store, stem + INFO_SUFFIX, JSON.stringify(info), false);
    await publish(file, staged, stem + LAYER_SUFFIX);
  } finally {
    rmSync(staged, { force: true });
  }
}
