// Sparse files: old GNU headers and the three PAX versions. All say which parts of a file the archive stores.
import { LayerError } from '../layer/error.ts';
import { parseNumeric } from './numeric.ts';
import type { PaxRecord } from './pax.ts';
import { paxInteger, paxText } from './pax.ts';

/** A part that is stored; what lies between two reads as zeros. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

export interface SparseMap {
  readonly realSize: number;
  readonly segments: readonly Segment[];
}

// GNU tar's tar.h, oldgnu_header and sparse_header.
const OLD_SEGMENTS = 386;
const OLD_SEGMENTS_COUNT = 4;
const OLD_IS_EXTENDED = 482;
const OLD_REAL_SIZE = 483;
const EXTENSION_SEGMENTS_COUNT = 21;
const EXTENSION_IS_EXTENDED = 504;
const NUMBER_BYTES = 12;
const SEGMENT_BYTES = 2 * NUMBER_BYTES;

/** Collects the map of an old GNU sparse header and of the extension blocks after it. */
export class OldGnuSparse {
  readonly #segments: Segment[] = [];
  readonly #realSize: number;
  readonly #segmentsMax: number;
  #isExtended: boolean;

  constructor(block: Buffer, mapBytesMax: number) {
    this.#realSize = parseNumeric(block, OLD_REAL_SIZE, NUMBER_BYTES, 'real size');
    this.#segmentsMax = Math.floor(mapBytesMax / SEGMENT_BYTES);
    this.#read(block, OLD_SEGMENTS, OLD_SEGMENTS_COUNT);
    this.#isExtended = block[OLD_IS_EXTENDED] !== 0;
  }

  /** Whether one more extension block follows. */
  get isExtended(): boolean {
    return this.#isExtended;
  }

  extend(block: Buffer): void {
    this.#read(block, 0, EXTENSION_SEGMENTS_COUNT);
    this.#isExtended = block[EXTENSION_IS_EXTENDED] !== 0;
  }

  map(): SparseMap {
    return { realSize: this.#realSize, segments: this.#segments };
  }

  #read(block: Buffer, start: number, count: number): void {
    for (let index = 0; index < count; index++) {
      const at = start + index * SEGMENT_BYTES;
      if (block[at] === 0) return;
      if (this.#segments.length >= this.#segmentsMax) throw tooLong();
      this.#segments.push({
        offset: parseNumeric(block, at, NUMBER_BYTES, 'sparse offset'),
        length: parseNumeric(block, at + NUMBER_BYTES, NUMBER_BYTES, 'sparse length'),
      });
    }
  }
}

/** What the PAX records of an entry say about sparseness. */
export interface PaxSparse {
  /** GNU.sparse.name: the path that the entry really has. */
  readonly name: string | undefined;
  readonly realSize: number;
  /** `undefined` in version 1.0, where the map stands before the data. */
  readonly segments: readonly Segment[] | undefined;
}

/** The GNU.sparse.* records, if there are any. GNU tar manual, "Storing Sparse Files". */
export function paxSparse(records: readonly PaxRecord[]): PaxSparse | undefined {
  const last = new Map<string, PaxRecord>();
  const numbers: number[] = [];
  for (const record of records) {
    if (!record.key.startsWith('GNU.sparse.') || record.value.length === 0) continue;
    last.set(record.key, record);
    if (record.key === 'GNU.sparse.offset') numbers.push(paxInteger(record));
    if (record.key === 'GNU.sparse.numbytes') numbers.push(paxInteger(record));
  }
  if (last.size === 0) return undefined;
  const nameRecord = last.get('GNU.sparse.name');
  const name = nameRecord === undefined ? undefined : paxText(nameRecord);
  const major = numberOf(last, 'GNU.sparse.major') ?? 0;
  const minor = numberOf(last, 'GNU.sparse.minor') ?? 0;
  if (major === 1 && minor === 0) {
    return { name, realSize: requiredNumber(last, 'GNU.sparse.realsize'), segments: undefined };
  }
  if (major !== 0 || minor > 1)
    throw new LayerError('UNSUPPORTED', `unknown sparse format ${major}.${minor}`);
  const map = last.get('GNU.sparse.map');
  const list = map === undefined ? numbers : paxText(map).split(',').map(Number);
  return { name, realSize: requiredNumber(last, 'GNU.sparse.size'), segments: pairUp(list) };
}

function numberOf(records: ReadonlyMap<string, PaxRecord>, key: string): number | undefined {
  const record = records.get(key);
  return record === undefined ? undefined : paxInteger(record);
}

function requiredNumber(records: ReadonlyMap<string, PaxRecord>, key: string): number {
  const number = numberOf(records, key);
  if (number === undefined) throw new LayerError('MALFORMED', `cannot read sparse file: no ${key}`);
  return number;
}

/** Collects the map in front of the data (version 1.0): a count, then offset and length, each on a line. */
export class PaxSparseMap {
  #text = '';
  #lines = 0;
  #linesExpected = 1;
  readonly #bytesMax: number;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Takes one block; the segments when it was the last. */
  push(block: Buffer): readonly Segment[] | undefined {
    const text = block.toString('latin1');
    if (this.#text.length + text.length > this.#bytesMax) throw tooLong();
    this.#text += text;
    for (const character of text) if (character === '\n') this.#lines++;
    if (this.#linesExpected === 1 && this.#lines > 0) {
      const count = decimal(this.#text.slice(0, this.#text.indexOf('\n')));
      if (Number.isNaN(count)) throw badMap();
      this.#linesExpected = 1 + 2 * count;
    }
    if (this.#lines < this.#linesExpected) return undefined;
    return pairUp(this.#text.split('\n').slice(1, this.#linesExpected).map(decimal));
  }
}

const decimal = (line: string): number => (/^[0-9]{1,16}$/.test(line) ? Number(line) : Number.NaN);

function pairUp(numbers: readonly number[]): Segment[] {
  if (numbers.length % 2 !== 0 || !numbers.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw badMap();
  }
  const segments: Segment[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    segments.push({ offset: numbers[at] ?? 0, length: numbers[at + 1] ?? 0 });
  }
  return segments;
}

/** In order, apart, inside the file, and together exactly what is stored: else bytes would be lost or invented. */
export function checkSparseMap({ realSize, segments }: SparseMap, storedBytes: number): void {
  if (realSize < 0) throw badMap();
  let end = 0;
  let stored = 0;
  for (const { offset, length } of segments) {
    if (offset < end || length < 0 || offset + length > realSize) {
      throw new LayerError('MALFORMED', 'cannot read sparse file: its map overlaps or leaves the file');
    }
    end = offset + length;
    stored += length;
  }
  if (stored !== storedBytes) {
    throw new LayerError('MALFORMED', 'cannot read sparse file: its map does not cover what is stored');
  }
}

const badMap = (): LayerError => new LayerError('MALFORMED', 'cannot read sparse file: bad map');
const tooLong = (): LayerError => new LayerError('LIMIT', 'cannot read sparse file: its map is too long');
