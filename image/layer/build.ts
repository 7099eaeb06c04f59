// From the blob of a layer to what a sink makes of it, in one pass and without keeping either.
import type { TarEntry } from '../tar/entry.ts';
import { type TarHandler, TarReader } from '../tar/reader.ts';
import { type BlobSource, BlobStream } from './blob-stream.ts';
import { type Compression, decompress, detectCompression, MAGIC_BYTES } from './decompress.ts';
import { DigestCheck } from './digest.ts';
import { toLayerEntry } from './entry.ts';
import { LayerError } from './error.ts';
import { DEFAULT_LIMITS, type LayerLimits } from './limits.ts';
import type { LayerSink } from './sink.ts';

export interface BuildOptions<Output> {
  readonly sink: LayerSink<Output>;
  /** Verified if given: size and digest of the descriptor, and the diffID of the image's config. */
  readonly blobSize?: number | undefined;
  readonly blobDigest?: string | undefined;
  readonly diffId?: string | undefined;
  readonly limits?: LayerLimits | undefined;
  readonly onProgress?: ((progress: BuildProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface BuildProgress {
  readonly blobBytes: number;
  readonly tarBytes: number;
}

export interface LayerResult<Output> {
  readonly compression: Compression;
  /** Bytes of the blob. */
  readonly blobSize: number;
  /** Digest of the uncompressed archive, and its bytes. */
  readonly diffId: string;
  readonly tarSize: number;
  /** What the sink made of it. */
  readonly output: Output;
}

/**
 * Builds one layer. Inflating runs in Node's thread pool beside the parsing and writing here, so a layer costs about
 * the longer of the two. The compression is told by the bytes, whatever the media type says. On any error, what the
 * sink has written is to be thrown away.
 *
 * @throws {LayerError} for all that the bytes of the layer can cause
 */
export async function buildLayer<Output>(
  source: BlobSource,
  options: BuildOptions<Output>,
): Promise<LayerResult<Output>> {
  const { sink, onProgress, signal, limits = DEFAULT_LIMITS } = options;
  const diffIdCheck = new DigestCheck(options.diffId);
  const blob = new BlobStream(source, options.blobSize, options.blobDigest);
  const reader = new TarReader(entryFilter(sink, limits), limits);
  let tarSize = 0;
  try {
    const compression = detectCompression(await blob.peek(MAGIC_BYTES));
    for await (const chunk of decompress(blob, compression)) {
      signal?.throwIfAborted();
      tarSize += chunk.length;
      checkExpansion(tarSize, blob.size, limits);
      diffIdCheck.push(chunk);
      sink.tar?.(chunk);
      reader.push(chunk);
      onProgress?.({ blobBytes: blob.bytes, tarBytes: tarSize });
    }
    reader.end();
    blob.end();
    const diffId = diffIdCheck.end('uncompressed layer');
    return { compression, blobSize: blob.bytes, diffId, tarSize, output: sink.end({ diffId }) };
  } finally {
    await blob.close();
  }
}

/** Lets a sink see only what a layer may say. */
function entryFilter(sink: LayerSink<unknown>, limits: LayerLimits): TarHandler {
  let metadataBytes = 0;
  // The content of an entry that the sink is not shown, a whiteout's say, is not shown either.
  let isShown = false;
  const entry = (tarEntry: TarEntry): void => {
    metadataBytes += sizeOfMetadata(tarEntry);
    if (metadataBytes > limits.metadataBytes) {
      const limit = `${limits.metadataBytes} bytes of names, links, extended attributes and sparse maps`;
      throw new LayerError('LIMIT', `cannot take a layer with more than ${limit}`);
    }
    const layerEntry = toLayerEntry(tarEntry, limits);
    isShown = layerEntry?.kind === 'file';
    if (layerEntry !== undefined) sink.entry(layerEntry);
  };
  if (sink.content === undefined) return { entry };
  return {
    entry,
    content: (chunk) => {
      if (isShown) sink.content?.(chunk);
    },
    hole: (bytes) => {
      if (isShown) sink.hole?.(bytes);
    },
  };
}

/** What a segment of a sparse file takes as an object. */
const SEGMENT_BYTES = 64;

function sizeOfMetadata({ name, linkName, xattrs, sparse }: TarEntry): number {
  let bytes = name.length + linkName.length + SEGMENT_BYTES * (sparse?.segments.length ?? 0);
  for (const xattr of xattrs) bytes += xattr.name.length + xattr.value.length;
  return bytes;
}

function checkExpansion(tarSize: number, blobSize: number, limits: LayerLimits): void {
  if (tarSize > limits.totalBytes) {
    throw new LayerError('LIMIT', `cannot take a layer of more than ${limits.totalBytes} bytes`);
  }
  if (tarSize > limits.expansionFreeBytes && tarSize > blobSize * limits.expansionRatio) {
    const ratio = `more than ${limits.expansionRatio} times its ${blobSize} compressed bytes`;
    throw new LayerError('LIMIT', `cannot take a layer that expands to ${ratio}`);
  }
}
