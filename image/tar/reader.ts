// A strict, synchronous tar reader: bytes are pushed in as they come, entries come out through a handler.
import { LayerError, quoteBytes } from '../layer/error.ts';
import { DEFAULT_LIMITS, type LayerLimits } from '../layer/limits.ts';
import { type ContentHandler, SparseContent } from './content.ts';
import { draftEntry, type EntryDraft, type TarEntry } from './entry.ts';
import { type ExtensionType, extend, isExtension, NO_EXTENSIONS } from './extension.ts';
import { BLOCK_BYTES, decodeHeader, type Header, typeOf } from './header.ts';
import { checkSparseMap, OldGnuSparse, type PaxSparse, PaxSparseMap, type SparseMap } from './sparse.ts';

export interface TarHandler extends ContentHandler {
  entry(entry: TarEntry): void;
}

type State =
  | { at: 'header' }
  | { at: 'extension'; type: ExtensionType; body: Buffer; filled: number }
  | { at: 'old-sparse'; draft: EntryDraft; sparse: OldGnuSparse }
  | { at: 'sparse-map'; draft: EntryDraft; realSize: number; map: PaxSparseMap; bytes: number }
  | { at: 'content'; sparse: SparseContent | undefined }
  | { at: 'end' };

const AT_HEADER: State = { at: 'header' };

/**
 * Reads ustar, v7, GNU and PAX archives, and takes and refuses what Go's archive/tar does: every registry, scanner
 * and other engine reads layers with it, and nobody is to see other entries in the same bytes than they do.
 */
export class TarReader {
  readonly #handler: TarHandler;
  readonly #limits: LayerLimits;
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #blockFilled = 0;
  #state: State = AT_HEADER;
  #extensions = NO_EXTENSIONS;
  #zeroBlocks = 0;
  #headers = 0;
  #contentBytes = 0;

  #chunk: Buffer = this.#block;
  #at = 0;
  /** Bytes of the archive before the current chunk. */
  #chunkOffset = 0;
  /** Of the current content or extension: stored bytes to come, and the padding behind them. */
  #storedLeft = 0;
  #paddingLeft = 0;

  constructor(handler: TarHandler, limits: LayerLimits = DEFAULT_LIMITS) {
    this.#handler = handler;
    this.#limits = limits;
  }

  push(chunk: Uint8Array): void {
    this.#chunk = Buffer.isBuffer(chunk)
      ? chunk
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#at = 0;
    while (this.#at < this.#chunk.length && this.#state.at !== 'end') this.#step(this.#state);
    this.#chunkOffset += this.#chunk.length;
  }

  /** The archive is over: an error unless it could be. */
  end(): void {
    const isBetweenEntries =
      this.#state === AT_HEADER && this.#blockFilled === 0 && this.#extensions === NO_EXTENSIONS;
    if (isBetweenEntries || this.#state.at === 'end') return;
    throw new LayerError('MALFORMED', 'cannot read layer: the archive is cut off');
  }

  #step(state: State): void {
    if (state.at === 'content') this.#content(state.sparse);
    else if (state.at === 'extension') this.#extension(state);
    else this.#gatherBlock(state);
  }

  /** Goes on with the next whole block, once it is there; without a copy when it lies in the chunk. */
  #gatherBlock(state: State): void {
    const left = this.#chunk.length - this.#at;
    if (this.#blockFilled === 0 && left >= BLOCK_BYTES) {
      this.#at += BLOCK_BYTES;
      this.#takeBlock(state, this.#chunk.subarray(this.#at - BLOCK_BYTES, this.#at));
      return;
    }
    const taken = Math.min(left, BLOCK_BYTES - this.#blockFilled);
    this.#chunk.copy(this.#block, this.#blockFilled, this.#at, this.#at + taken);
    this.#at += taken;
    this.#blockFilled += taken;
    if (this.#blockFilled < BLOCK_BYTES) return;
    this.#blockFilled = 0;
    this.#takeBlock(state, this.#block);
  }

  #takeBlock(state: State, block: Buffer): void {
    switch (state.at) {
      case 'old-sparse':
        state.sparse.extend(block);
        this.#oldSparse(state.draft, state.sparse);
        break;
      case 'sparse-map':
        this.#sparseMap(state, block);
        break;
      default:
        this.#header(block);
    }
  }

  #header(block: Buffer): void {
    const header = decodeHeader(block);
    if (header === undefined) {
      this.#zeroBlock();
      return;
    }
    if (this.#zeroBlocks > 0) {
      throw new LayerError('MALFORMED', 'cannot read layer: a header after a block of zeros');
    }
    if (++this.#headers > this.#limits.entries) {
      throw new LayerError('LIMIT', `cannot take a layer with more than ${this.#limits.entries} tar headers`);
    }
    const type = typeOf(header);
    if (isExtension(type)) this.#beginExtension(type, header);
    else this.#entryHeader(header, block);
  }

  /** Two of them end the archive; what follows belongs to the digest and to nobody's listing. */
  #zeroBlock(): void {
    if (this.#extensions !== NO_EXTENSIONS) {
      throw new LayerError('MALFORMED', 'cannot read layer: an extended header describes no entry');
    }
    if (++this.#zeroBlocks === 2) this.#state = { at: 'end' };
  }

  #beginExtension(type: ExtensionType, { size }: Header): void {
    if (size < 0) throw new LayerError('MALFORMED', 'cannot read tar header: its size is negative');
    if (size > this.#limits.extendedHeaderBytes) {
      const limit = this.#limits.extendedHeaderBytes;
      throw new LayerError('LIMIT', `cannot take an extended header of ${size} bytes, more than ${limit}`);
    }
    this.#expect(size);
    this.#state = { at: 'extension', type, body: Buffer.alloc(size), filled: 0 };
    if (size === 0) this.#endExtension(type, Buffer.alloc(0));
  }

  #extension(state: Extract<State, { at: 'extension' }>): void {
    const stored = this.#takeStored();
    stored.copy(state.body, state.filled);
    state.filled += stored.length;
    if (this.#takePadding()) this.#endExtension(state.type, state.body);
  }

  #endExtension(type: ExtensionType, body: Buffer): void {
    this.#extensions = extend(this.#extensions, type, body);
    this.#state = AT_HEADER;
  }

  #entryHeader(header: Header, block: Buffer): void {
    const draft = draftEntry(header, this.#extensions, this.#limits);
    const { entry, paxSparse } = draft;
    this.#extensions = NO_EXTENSIONS;
    if (typeOf(header) === 'gnu-sparse') {
      if (paxSparse !== undefined) {
        throw new LayerError(
          'MALFORMED',
          `cannot read ${quoteBytes(entry.name)}: two sparse formats at once`,
        );
      }
      this.#oldSparse(draft, new OldGnuSparse(block, this.#limits.extendedHeaderBytes));
    } else if (paxSparse === undefined) {
      this.#announce(entry, undefined, entry.storedBytes);
    } else {
      this.#paxSparse(draft, paxSparse);
    }
  }

  #oldSparse(draft: EntryDraft, sparse: OldGnuSparse): void {
    if (sparse.isExtended) this.#state = { at: 'old-sparse', draft, sparse };
    else this.#announce(draft.entry, sparse.map(), draft.entry.storedBytes);
  }

  #paxSparse(draft: EntryDraft, { realSize, segments }: PaxSparse): void {
    if (segments === undefined) {
      const map = new PaxSparseMap(this.#limits.extendedHeaderBytes);
      this.#state = { at: 'sparse-map', draft, realSize, map, bytes: 0 };
    } else {
      this.#announce(draft.entry, { realSize, segments }, draft.entry.storedBytes);
    }
  }

  #sparseMap(state: Extract<State, { at: 'sparse-map' }>, block: Buffer): void {
    const { entry } = state.draft;
    state.bytes += BLOCK_BYTES;
    if (state.bytes > entry.storedBytes) {
      const name = quoteBytes(entry.name);
      throw new LayerError('MALFORMED', `cannot read ${name}: its sparse map is longer than the file`);
    }
    const segments = state.map.push(block);
    if (segments === undefined) return;
    this.#announce(entry, { realSize: state.realSize, segments }, entry.storedBytes - state.bytes);
  }

  #announce(entry: EntryDraft['entry'], map: SparseMap | undefined, storedBytes: number): void {
    if (map !== undefined) checkSparseMap(map, storedBytes);
    const size = map?.realSize ?? storedBytes;
    this.#contentBytes += size;
    if (this.#contentBytes > this.#limits.totalBytes) {
      throw new LayerError(
        'LIMIT',
        `cannot take a layer with more than ${this.#limits.totalBytes} bytes of content`,
      );
    }
    const sparse = map && new SparseContent(map, this.#handler);
    this.#expect(storedBytes);
    this.#state = storedBytes > 0 ? { at: 'content', sparse } : AT_HEADER;
    this.#handler.entry({
      ...entry,
      size,
      storedBytes,
      storedOffset: this.#chunkOffset + this.#at,
      sparse: map,
    });
    if (storedBytes === 0) sparse?.end();
  }

  #content(sparse: SparseContent | undefined): void {
    if (this.#storedLeft > 0) {
      if (this.#handler.content === undefined) {
        this.#skipStored();
      } else {
        const stored = this.#takeStored();
        if (sparse === undefined) this.#handler.content(stored);
        else sparse.push(stored);
      }
      if (this.#storedLeft === 0) sparse?.end();
    }
    if (this.#takePadding()) this.#state = AT_HEADER;
  }

  #expect(storedBytes: number): void {
    this.#storedLeft = storedBytes;
    this.#paddingLeft = (BLOCK_BYTES - (storedBytes % BLOCK_BYTES)) % BLOCK_BYTES;
  }

  #takeStored(): Buffer {
    const start = this.#at;
    this.#skipStored();
    return this.#chunk.subarray(start, this.#at);
  }

  #skipStored(): void {
    const taken = Math.min(this.#storedLeft, this.#chunk.length - this.#at);
    this.#at += taken;
    this.#storedLeft -= taken;
  }

  /** Whether stored bytes and padding are behind us. */
  #takePadding(): boolean {
    if (this.#storedLeft > 0) return false;
    const taken = Math.min(this.#paddingLeft, this.#chunk.length - this.#at);
    this.#at += taken;
    this.#paddingLeft -= taken;
    return this.#paddingLeft === 0;
  }
}
