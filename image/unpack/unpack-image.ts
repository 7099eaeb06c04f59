// Unpacks an image of the store, or one that a reference names without storing it.
import { openSync } from 'node:fs';
import type { Platform } from '../../spec/image/platform.ts';
import { Fd } from '../../sys/fd.ts';
import { ErofsImage } from '../erofs/image.ts';
import { buildLayer } from '../layer/build.ts';
import { isSourceReference, parseSourceReference } from '../reference.ts';
import { sliceChunks } from '../source/chunks.ts';
import type { SourceImage } from '../source/image-source.ts';
import { openSource } from '../source/open.ts';
import { layerFile } from '../store/layer-file.ts';
import { findImage, type ImageRecord, recordedRoot } from '../store/record.ts';
import { openSpool } from '../store/staging.ts';
import type { Store } from '../store/store.ts';
import type { Ownership } from './attributes.ts';
import { feedStoredLayer } from './stored-layer.ts';
import { type UnpackReport, type UnpackSink, unpackTree } from './unpack.ts';

export interface UnpackOptions {
  readonly ownership?: Ownership | undefined;
  /** Which of the images that a reference offers. */
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @param image A name or ID in the store, or a reference such as `oci:DIR:TAG`. */
export async function unpackImage(
  store: Store,
  image: string,
  target: string,
  options: UnpackOptions = {},
): Promise<UnpackReport> {
  using _reading = await store.lock('shared');
  if (!isSourceReference(image)) return await unpackStored(store, findImage(store, image), target, options);
  const reference = parseSourceReference(image);
  using opened = await openSource(reference, () => openSpool(store), options.platform);
  return await unpackTree(
    target,
    (sink) => feedSource(opened.image, sink, options.signal),
    options.ownership,
  );
}

/** The caller holds the store's lock. */
export function unpackStored(
  store: Store,
  image: Pick<ImageRecord, 'files' | 'root'>,
  target: string,
  { ownership, signal }: UnpackOptions = {},
): Promise<UnpackReport> {
  const feed = async (sink: UnpackSink): Promise<void> => {
    for (const file of image.files) {
      signal?.throwIfAborted();
      using fd = new Fd(openSync(layerFile(store, file), 'r'));
      sink.beginLayer();
      feedStoredLayer(new ErofsImage(fd.number), sink);
      sink.end();
    }
    sink.root = recordedRoot(image.root);
  };
  return unpackTree(target, feed, ownership);
}

async function feedSource(
  image: SourceImage,
  sink: UnpackSink,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const layer of image.layers) {
    using slice = layer.open();
    sink.beginLayer();
    const { size: blobSize, digest: blobDigest, diffId } = layer;
    await buildLayer(sliceChunks(slice), { sink, blobSize, blobDigest, diffId, signal });
  }
}
