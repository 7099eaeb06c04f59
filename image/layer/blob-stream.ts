// The bytes of a blob on their way: counted, hashed, and never more of them than were promised.
import { createReadStream } from 'node:fs';
import { DigestCheck } from './digest.ts';
import { LayerError } from './error.ts';

/** A stream, the path of a file, or the number of an open file (read from its beginning, left open). */
export type BlobSource = AsyncIterable<Uint8Array> | string | number;

/** One read of a file. */
const READ_BYTES = 256 * 1024;

/** Iterable once. */
export class BlobStream implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #sizeExpected: number | undefined;
  readonly #digest: DigestCheck | undefined;
  /** Taken from the source and not yet handed out. */
  #head: Uint8Array[] = [];
  #bytes = 0;

  /** Without a digest nothing is hashed: a blob that comes from a verified store needs none. */
  constructor(source: BlobSource, size: number | undefined, digest: string | undefined) {
    this.#chunks = openSource(source)[Symbol.asyncIterator]();
    this.#sizeExpected = size;
    this.#digest = digest === undefined ? undefined : new DigestCheck(digest);
  }

  /** Bytes that have come. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What was promised, or what has come. */
  get size(): number {
    return this.#sizeExpected ?? this.#bytes;
  }

  /** The first bytes, which stay to be read; fewer only if there are no more. */
  async peek(bytes: number): Promise<Buffer> {
    while (this.#bytes < bytes) {
      const chunk = await this.#pull();
      if (chunk === undefined) break;
      this.#head.push(chunk);
    }
    return Buffer.concat(this.#head).subarray(0, bytes);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      const head = this.#head;
      this.#head = [];
      yield* head;
      for (let chunk = await this.#pull(); chunk !== undefined; chunk = await this.#pull()) yield chunk;
    } finally {
      await this.#chunks.return?.();
    }
  }

  /** All of it has been read: an error unless it is what was promised. */
  end(): void {
    if (this.#sizeExpected !== undefined && this.#bytes !== this.#sizeExpected) {
      throw new LayerError('MISMATCH', `layer has ${this.#bytes} bytes, not ${this.#sizeExpected}`);
    }
    this.#digest?.end('layer');
  }

  /** Closes the source if it was not read to its end. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #pull(): Promise<Uint8Array | undefined> {
    const next = await this.#chunks.next();
    if (next.done === true) return undefined;
    this.#bytes += next.value.length;
    if (this.#sizeExpected !== undefined && this.#bytes > this.#sizeExpected) {
      throw new LayerError(
        'MISMATCH',
        `layer has more than the ${this.#sizeExpected} bytes that it should have`,
      );
    }
    this.#digest?.push(next.value);
    return next.value;
  }
}

function openSource(source: BlobSource): AsyncIterable<Uint8Array> {
  if (typeof source === 'string') return createReadStream(source, { highWaterMark: READ_BYTES });
  if (typeof source !== 'number') return source;
  return createReadStream('', { fd: source, autoClose: false, start: 0, highWaterMark: READ_BYTES });
}
