// Images enter the store: verified, layer by layer, and visible only when all of it is there.
import type { Platform } from '../spec/image/platform.ts';
import { isErrno } from '../sys/errno.ts';
import { ImageError } from './error.ts';
import { LayerError } from './layer/error.ts';
import { defaultImageName, parseImageName, parseSourceReference } from './reference.ts';
import type { SourceImage, SourceLayer } from './source/image-source.ts';
import { openSource } from './source/open.ts';
import { ensureLayer } from './store/build.ts';
import { collectGarbage } from './store/collect.ts';
import { hasLayer } from './store/layer-file.ts';
import { type ImageRecord, recordRoot, writeRecord } from './store/record.ts';
import { ensureStack } from './store/stack.ts';
import { openSpool } from './store/staging.ts';
import type { Store } from './store/store.ts';

export interface ImportProgress {
  /** Of the image. */
  readonly layers: number;
  /** Those that are in the store. */
  readonly layersDone: number;
  /** Of the blobs that are not. */
  readonly bytes: number;
  readonly bytesDone: number;
}

export interface ImportOptions {
  /** What to call it; by default, what its source calls it. */
  readonly name?: string | undefined;
  /** What to remember as its source; by default, the reference. */
  readonly source?: string | undefined;
  /** Which of several; by default, this machine's. */
  readonly platform?: Platform | undefined;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Layers built at a time. Inflating runs in Node's thread pool, so two in one thread fill two cores as well as two
 * worker threads do, with 80 MB less, and one at a time does not (docs/decisions/0004-the-image-store.md).
 */
const CONCURRENT_LAYERS = 2;

/** @throws {ImageError} and then the store is as it was. */
export async function importImage(
  store: Store,
  reference: string,
  options: ImportOptions = {},
): Promise<ImageRecord> {
  const source = parseSourceReference(reference);
  const name = options.name === undefined ? undefined : parseImageName(options.name);
  collectGarbage(store);
  try {
    using _adding = await store.lock('shared');
    using opened = await openSource(source, () => openSpool(store), options.platform);
    const { image } = opened;
    await addLayers(store, image, options);
    const { files, root } = await ensureStack(store, image.layers, options.signal);
    return writeRecord(store, {
      name: name ?? defaultImageName(source, image.name),
      id: image.configDigest,
      ...(image.manifestDigest !== undefined && { manifestDigest: image.manifestDigest }),
      source: options.source ?? reference,
      imported: new Date().toISOString(),
      config: image.config,
      annotations: image.annotations,
      layers: image.layers.map(({ diffId, digest, mediaType, size }) => ({
        diffId,
        ...(digest !== undefined && { digest }),
        mediaType,
        size,
      })),
      files,
      root: recordRoot(root),
    });
  } catch (error) {
    throw explain(error, store, reference);
  } finally {
    // The lock is released by now; an image that lost its name to this one may have been the last with its layers.
    collectGarbage(store);
  }
}

/** Builds the layers that are missing, the largest first, so that none is left over for one core at the end. */
async function addLayers(
  store: Store,
  image: SourceImage,
  { onProgress, signal }: ImportOptions,
): Promise<void> {
  const distinct = [...new Map(image.layers.map((layer) => [layer.diffId, layer])).values()];
  const missing = distinct.filter(({ diffId }) => !hasLayer(store, { kind: 'layers', digest: diffId }));
  const progress = new Progress(distinct.length - missing.length, distinct.length, missing, onProgress);
  const failure = new AbortController();
  const signals = AbortSignal.any([failure.signal, ...(signal === undefined ? [] : [signal])]);
  const queue = missing.toSorted((a, b) => b.size - a.size);
  const work = async (): Promise<void> => {
    for (let layer = queue.shift(); layer !== undefined; layer = queue.shift()) {
      await addLayer(store, image, layer, progress, signals).catch((error: unknown) => {
        failure.abort(error);
        throw error;
      });
    }
  };
  // All have ended, also those that the first failure stopped, before anything of it is cleaned up.
  const results = await Promise.allSettled(Array.from({ length: CONCURRENT_LAYERS }, work));
  if (results.some(({ status }) => status === 'rejected')) throw signals.reason;
}

async function addLayer(
  store: Store,
  image: SourceImage,
  layer: SourceLayer,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const onProgress = (bytes: number): void => progress.read(layer, bytes);
  try {
    await ensureLayer(store, { kind: 'layers', digest: layer.diffId }, layer, { signal, onProgress });
    progress.done(layer);
  } catch (error) {
    if (!(error instanceof LayerError)) throw error;
    const place = `layer ${image.layers.indexOf(layer) + 1} of ${image.layers.length}`;
    throw new ImageError('REJECTED', `${place} (${layer.digest ?? layer.diffId})`, { cause: error });
  }
}

class Progress {
  readonly #layers: number;
  #layersDone: number;
  readonly #bytes: number;
  readonly #read = new Map<SourceLayer, number>();
  readonly #report: ((progress: ImportProgress) => void) | undefined;

  constructor(
    layersDone: number,
    layers: number,
    missing: readonly SourceLayer[],
    report: ((progress: ImportProgress) => void) | undefined,
  ) {
    this.#layers = layers;
    this.#layersDone = layersDone;
    this.#bytes = missing.reduce((sum, { size }) => sum + size, 0);
    this.#report = report;
    this.#tell();
  }

  read(layer: SourceLayer, bytes: number): void {
    this.#read.set(layer, bytes);
    this.#tell();
  }

  done(layer: SourceLayer): void {
    this.#layersDone++;
    this.read(layer, layer.size);
  }

  #tell(): void {
    const bytesDone = [...this.#read.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.#report?.({ layers: this.#layers, layersDone: this.#layersDone, bytes: this.#bytes, bytesDone });
  }
}

/** One sentence: which image, and the first cause that means something to whoever imports it. */
function explain(error: unknown, store: Store, reference: string): unknown {
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) {
    return new ImageError('STORE', `cannot import "${reference}": no space left in "${store.path}"`, {
      cause: error,
    });
  }
  if (error instanceof ImageError || isErrno(error, 'ENOENT', 'EACCES', 'EPERM')) {
    return new ImageError(
      error instanceof ImageError ? error.code : 'STORE',
      `cannot import "${reference}"`,
      { cause: error },
    );
  }
  return error;
}
