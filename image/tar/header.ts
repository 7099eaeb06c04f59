// One 512-byte tar header: v7, ustar, GNU and star.
import { LayerError, quoteBytes } from '../layer/error.ts';
import { parseNumeric, parseOctal } from './numeric.ts';

export const BLOCK_BYTES = 512;

export type HeaderFormat = 'v7' | 'ustar' | 'gnu' | 'star';

/** The fields as they stand. Text is one character a byte ("latin1"), so no name is lost to a decoder. */
export interface Header {
  readonly format: HeaderFormat;
  readonly name: string;
  readonly linkName: string;
  readonly typeflag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes that follow in the archive. */
  readonly size: number;
  /** Seconds since 1970; negative before. */
  readonly mtime: number;
  readonly devMajor: number;
  readonly devMinor: number;
}

// POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar's tar.h; star(5).
const NAME = 0;
const NAME_BYTES = 100;
const MODE = 100;
const UID = 108;
const GID = 116;
const SIZE = 124;
const MTIME = 136;
const CHECKSUM = 148;
const CHECKSUM_BYTES = 8;
const TYPEFLAG = 156;
const LINK_NAME = 157;
const LINK_NAME_BYTES = 100;
const MAGIC = 257;
const MAGIC_BYTES = 8;
const DEV_MAJOR = 329;
const DEV_MINOR = 337;
const PREFIX = 345;
const PREFIX_BYTES = 155;
const GNU_ATIME = 345;
const GNU_CTIME = 357;
const STAR_PREFIX_BYTES = 131;
const STAR_TRAILER = 508;

/** `undefined` for a block of zeros. */
export function decodeHeader(block: Buffer): Header | undefined {
  if (!verifyChecksum(block)) return undefined;
  const format = headerFormat(block);
  const prefix = namePrefix(block, format);
  const name = text(block, NAME, NAME_BYTES);
  const hasDevice = format !== 'v7';
  return {
    format,
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: text(block, LINK_NAME, LINK_NAME_BYTES),
    typeflag: String.fromCharCode(block[TYPEFLAG] ?? 0),
    mode: parseNumeric(block, MODE, 8, 'mode'),
    uid: parseNumeric(block, UID, 8, 'uid'),
    gid: parseNumeric(block, GID, 8, 'gid'),
    size: parseNumeric(block, SIZE, 12, 'size'),
    mtime: parseNumeric(block, MTIME, 12, 'mtime'),
    devMajor: hasDevice ? parseNumeric(block, DEV_MAJOR, 8, 'devmajor') : 0,
    devMinor: hasDevice ? parseNumeric(block, DEV_MINOR, 8, 'devminor') : 0,
  };
}

/**
 * Whether the block is a header, and not zeros; anything else is an error. The sum takes the checksum field as
 * blanks; some old tars summed signed characters.
 */
function verifyChecksum(block: Buffer): boolean {
  let unsigned = 0;
  let high = 0;
  for (let at = 0; at < BLOCK_BYTES; at++) {
    const byte = block[at] ?? 0;
    unsigned += byte;
    high += byte >> 7;
  }
  if (unsigned === 0) return false;
  for (let at = CHECKSUM; at < CHECKSUM + CHECKSUM_BYTES; at++) {
    const byte = block[at] ?? 0;
    unsigned += 0x20 - byte;
    high -= byte >> 7;
  }
  const stored = parseOctal(block, CHECKSUM, CHECKSUM_BYTES, 'checksum');
  if (stored !== unsigned && stored !== unsigned - 256 * high) {
    throw new LayerError('MALFORMED', 'cannot read tar header: the checksum does not match');
  }
  return true;
}

function headerFormat(block: Buffer): HeaderFormat {
  const magic = block.toString('latin1', MAGIC, MAGIC + MAGIC_BYTES);
  if (magic === 'ustar  \0') return 'gnu';
  if (!magic.startsWith('ustar\0')) return 'v7';
  return block.toString('latin1', STAR_TRAILER, BLOCK_BYTES) === 'tar\0' ? 'star' : 'ustar';
}

function namePrefix(block: Buffer, format: HeaderFormat): string {
  switch (format) {
    case 'v7':
      return '';
    case 'ustar':
      return text(block, PREFIX, PREFIX_BYTES);
    case 'star':
      return text(block, PREFIX, STAR_PREFIX_BYTES);
    case 'gnu':
      return mistakenGnuPrefix(block);
  }
}

/**
 * Go before 1.8, and so the images that Docker wrote until 2017, could put a ustar prefix where GNU has atime and
 * ctime. What is no number there and is ASCII is such a prefix; Go's reader decides alike.
 */
function mistakenGnuPrefix(block: Buffer): string {
  if (isNumericOrEmpty(block, GNU_ATIME) && isNumericOrEmpty(block, GNU_CTIME)) return '';
  const prefix = text(block, PREFIX, PREFIX_BYTES);
  return /^[\0-\x7f]*$/.test(prefix) ? prefix : '';
}

function isNumericOrEmpty(block: Buffer, start: number): boolean {
  if (block[start] === 0) return true;
  try {
    parseNumeric(block, start, 12, 'time');
    return true;
  } catch {
    return false;
  }
}

function text(block: Buffer, start: number, length: number): string {
  const nul = block.indexOf(0, start);
  const end = nul === -1 || nul > start + length ? start + length : nul;
  return block.toString('latin1', start, end);
}

/** What a header announces: an entry, or something about the next one. */
export type Typeflag =
  | 'file'
  | 'hardlink'
  | 'symlink'
  | 'character'
  | 'block'
  | 'directory'
  | 'fifo'
  | 'pax'
  | 'global-pax'
  | 'gnu-name'
  | 'gnu-link-name'
  | 'gnu-sparse';

// biome-ignore format: a table
const TYPEFLAGS: ReadonlyMap<string, Typeflag> = new Map([
  ['\0', 'file'],
  ['0', 'file'],
  ['1', 'hardlink'],
  ['2', 'symlink'],
  ['3', 'character'],
  ['4', 'block'],
  ['5', 'directory'],
  ['6', 'fifo'],
  ['7', 'file'],          // contiguous: a file to everybody
  ['x', 'pax'],
  ['g', 'global-pax'],
  ['L', 'gnu-name'],
  ['K', 'gnu-link-name'],
  ['S', 'gnu-sparse'],
] satisfies [string, Typeflag][]);

/** Refuses what it does not know, as containerd, docker and umoci do: an entry is not guessed. */
export function typeOf(header: Header): Typeflag {
  const type = TYPEFLAGS.get(header.typeflag);
  if (type === undefined) {
    const flag = quoteBytes(header.typeflag);
    throw new LayerError('UNSUPPORTED', `cannot take ${quoteBytes(header.name)}: unknown tar type ${flag}`);
  }
  return type;
}
