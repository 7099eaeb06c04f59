// The framing of a zstd stream, RFC 8878 section 3.1, without its content.
import { LayerError } from './error.ts';

const MAGIC = 0xfd2fb528;
/** Sixteen magics: their frames carry something for others (zstd:chunked puts its table of contents there). */
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;

/** 128 MiB, zstd's own default: what a decoder may have to keep in memory (`--long=31` would need 2 GiB). */
export const WINDOW_LOG_MAX = 27;

const CONTENT_SIZE_BYTES: readonly number[] = [0, 2, 4, 8];
const DICTIONARY_ID_BYTES: readonly number[] = [0, 1, 2, 4];
const SINGLE_SEGMENT = 0x20;
const RESERVED = 0x08;
const CHECKSUM = 0x04;

const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;

export const isZstdMagic = (magic: number): boolean =>
  magic === MAGIC || (magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC;

type Part = 'magic' | 'skippable-size' | 'descriptor' | 'header' | 'block' | 'checksum';

/**
 * Walks over frames and blocks beside the decoder, because Node's decoder takes any bytes after a frame for the end,
 * and reports too large a window as an error without a name.
 */
export class ZstdFrames {
  #part: Part = 'magic';
  /** The bytes of the current part, up to 14 of them: a frame header without its descriptor. */
  readonly #bytes = Buffer.alloc(16);
  #filled = 0;
  #wanted = 4;
  #skip = 0;
  #descriptor = 0;

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      this.#bytes[this.#filled++] = chunk[at++] ?? 0;
      if (this.#filled < this.#wanted) continue;
      this.#filled = 0;
      this.#take();
    }
  }

  /** An error unless the stream could end here. */
  end(): void {
    const isBetweenFrames = this.#part === 'magic' && this.#filled === 0 && this.#skip === 0;
    if (!isBetweenFrames) throw malformed('it is cut off');
  }

  #take(): void {
    switch (this.#part) {
      case 'magic':
        this.#takeMagic(this.#bytes.readUInt32LE(0));
        break;
      case 'skippable-size':
        this.#skip = this.#bytes.readUInt32LE(0);
        this.#next('magic', 4);
        break;
      case 'descriptor':
        this.#takeDescriptor(this.#bytes.readUInt8(0));
        break;
      case 'header':
        this.#takeHeader();
        break;
      case 'block':
        this.#takeBlock(this.#bytes.readUIntLE(0, 3));
        break;
      case 'checksum':
        this.#next('magic', 4);
        break;
    }
  }

  #next(part: Part, wanted: number): void {
    this.#part = part;
    this.#wanted = wanted;
  }

  #takeMagic(magic: number): void {
    if (!isZstdMagic(magic)) throw malformed('something else follows a frame');
    if (magic === MAGIC) this.#next('descriptor', 1);
    else this.#next('skippable-size', 4);
  }

  #takeDescriptor(descriptor: number): void {
    if ((descriptor & RESERVED) !== 0) throw malformed('a frame header has a reserved bit set');
    this.#descriptor = descriptor;
    this.#next(
      'header',
      windowBytes(descriptor) + dictionaryIdBytes(descriptor) + contentSizeBytes(descriptor),
    );
    if (this.#wanted === 0) this.#takeHeader();
  }

  #takeHeader(): void {
    const descriptor = this.#descriptor;
    const dictionaryAt = windowBytes(descriptor);
    const contentSizeAt = dictionaryAt + dictionaryIdBytes(descriptor);
    if (this.#bytes.subarray(dictionaryAt, contentSizeAt).some((byte) => byte !== 0)) {
      throw new LayerError('UNSUPPORTED', 'cannot decompress layer: zstd with a dictionary');
    }
    const window =
      dictionaryAt === 1
        ? windowSize(this.#bytes.readUInt8(0))
        : contentSize(this.#bytes, contentSizeAt, contentSizeBytes(descriptor));
    if (window > 2 ** WINDOW_LOG_MAX) {
      throw new LayerError(
        'LIMIT',
        `cannot decompress layer: zstd window larger than 2^${WINDOW_LOG_MAX} bytes`,
      );
    }
    this.#next('block', 3);
  }

  #takeBlock(header: number): void {
    const isLast = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    if (type === BLOCK_RESERVED) throw malformed('a block has a reserved type');
    this.#skip = type === BLOCK_RLE ? 1 : header >> 3;
    if (!isLast) this.#next('block', 3);
    else if ((this.#descriptor & CHECKSUM) !== 0) this.#next('checksum', 4);
    else this.#next('magic', 4);
  }
}

const windowBytes = (descriptor: number): number => ((descriptor & SINGLE_SEGMENT) === 0 ? 1 : 0);
const dictionaryIdBytes = (descriptor: number): number => DICTIONARY_ID_BYTES[descriptor & 3] ?? 0;

function contentSizeBytes(descriptor: number): number {
  const bytes = CONTENT_SIZE_BYTES[descriptor >> 6] ?? 0;
  return bytes === 0 && (descriptor & SINGLE_SEGMENT) !== 0 ? 1 : bytes;
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(bytes: Buffer, at: number, length: number): number {
  if (length === 8) return Number(bytes.readBigUInt64LE(at));
  // Sizes of two bytes begin where those of one byte end.
  return bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0);
}

const malformed = (what: string): LayerError =>
  new LayerError('MALFORMED', `cannot decompress layer: not a zstd stream: ${what}`);
