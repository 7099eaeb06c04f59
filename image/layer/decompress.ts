// From the bytes of a blob to those of the archive in it.
import { constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import { LayerError } from './error.ts';
import { isZstdMagic, WINDOW_LOG_MAX, ZstdFrames } from './zstd-frames.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

/** Uncompressed bytes handed out at a time. With less, both threads wait more often for each other (128 KiB: 15 % longer). */
const CHUNK_BYTES = 256 * 1024;
/** Uncompressed bytes that may wait while the archive is written: the decoder works ahead in its own thread. */
const QUEUE_BYTES = 4 * CHUNK_BYTES;

/** Enough of a blob's beginning to know what it is. */
export const MAGIC_BYTES = 10;

// What people have packed layers with, and what image-spec does not allow.
const FOREIGN_MAGICS: readonly (readonly [name: string, magic: Buffer])[] = [
  ['xz', Buffer.from('fd377a585a00', 'hex')],
  ['bzip2', Buffer.from('314159265359', 'hex')],
  ['lz4', Buffer.from('04224d18', 'hex')],
];
const BZIP2_MAGIC_OFFSET = 4;

/** Decides by the bytes: media types are often wrong, and the diffID tells in the end. */
export function detectCompression(head: Buffer): Compression {
  if (head.length >= 3 && head.readUIntBE(0, 3) === 0x1f8b08) return 'gzip';
  if (head.length >= 4 && isZstdMagic(head.readUInt32LE(0))) return 'zstd';
  for (const [name, magic] of FOREIGN_MAGICS) {
    const offset = name === 'bzip2' ? BZIP2_MAGIC_OFFSET : 0;
    if (head.subarray(offset, offset + magic.length).equals(magic)) {
      throw new LayerError('UNSUPPORTED', `cannot decompress layer: it is ${name}, not gzip or zstd`);
    }
  }
  return 'none';
}

export function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncIterable<Uint8Array> {
  switch (compression) {
    case 'none':
      return source;
    case 'gzip':
      return run(createGunzip(engineOptions()), source, new GzipEnd());
    case 'zstd':
      return run(createZstdDecompress(zstdOptions()), source, new ZstdEnd());
  }
}

const engineOptions = () => ({ chunkSize: CHUNK_BYTES, readableHighWaterMark: QUEUE_BYTES });

const zstdOptions = () => ({
  ...engineOptions(),
  params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
});

type Engine = Gunzip | ZstdDecompress;

/** Looks at what the engine is given, and at what it leaves: to Node's engines, anything after the end is the end. */
interface EndCheck {
  push(chunk: Uint8Array): void;
  /** The engine has come to an end, and these bytes follow. */
  leave(rest: Uint8Array): void;
  /** The source is over. */
  end(): void;
}

async function* run(
  engine: Engine,
  source: AsyncIterable<Uint8Array>,
  check: EndCheck,
): AsyncGenerator<Uint8Array> {
  const fed = feed(engine, source, check);
  // The error reaches the caller through the engine, or below when the engine is already done.
  fed.catch((error: unknown) => engine.destroy(error instanceof Error ? error : new Error(String(error))));
  try {
    yield* engine as AsyncIterable<Buffer>;
  } catch (error) {
    throw explainEngineError(error);
  } finally {
    engine.destroy();
  }
  await fed;
}

async function feed(engine: Engine, source: AsyncIterable<Uint8Array>, check: EndCheck): Promise<void> {
  const closed = new Promise<void>((resolve) => engine.once('close', resolve));
  let given = 0;
  for await (const chunk of source) {
    check.push(chunk);
    if (engine.bytesWritten < given) {
      check.leave(chunk);
      continue;
    }
    given += chunk.length;
    // One at a time, so that it is known how far the engine has come when it stops.
    await Promise.race([closed, new Promise<void>((resolve) => engine.write(chunk, () => resolve()))]);
    if (engine.destroyed && !engine.readableEnded) return;
    if (engine.bytesWritten < given) check.leave(chunk.subarray(engine.bytesWritten - given));
  }
  check.end();
  engine.end();
}

/** After the last member of a gzip stream only zeros may follow, with which tapes and some tools pad. */
class GzipEnd implements EndCheck {
  push(): void {}

  leave(rest: Uint8Array): void {
    if (rest.every((byte) => byte === 0)) return;
    throw new LayerError('MALFORMED', 'cannot decompress layer: something else follows the gzip stream');
  }

  end(): void {}
}

class ZstdEnd implements EndCheck {
  readonly #frames = new ZstdFrames();

  push(chunk: Uint8Array): void {
    this.#frames.push(chunk);
  }

  leave(): void {
    throw new LayerError('MALFORMED', 'cannot decompress layer: the zstd decoder stopped before the end');
  }

  end(): void {
    this.#frames.end();
  }
}

/** zlib's and zstd's verdicts on the bytes become ours; a failing source keeps its own error. */
function explainEngineError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof LayerError) return error;
  if (!/^(Z_|ZSTD_|ERR_ZLIB|ERR_ZSTD)/.test(String(error.code))) return error;
  return new LayerError('MALFORMED', `cannot decompress layer: ${error.message}`, { cause: error });
}
