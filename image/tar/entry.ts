// An entry of an archive: what its header, and the extended headers before it, say together.
import { LayerError, quoteBytes } from '../layer/error.ts';
import type { LayerLimits } from '../layer/limits.ts';
import type { Extensions } from './extension.ts';
import type { Header } from './header.ts';
import { typeOf } from './header.ts';
import type { PaxRecord, Timestamp } from './pax.ts';
import { paxInteger, paxText, paxTime } from './pax.ts';
import type { PaxSparse, SparseMap } from './sparse.ts';
import { paxSparse } from './sparse.ts';
import type { Xattr } from './xattr.ts';
import { decodeXattr, lastOfEachName } from './xattr.ts';

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo';

export interface TarEntry {
  readonly type: TarEntryType;
  /** As the archive says, a byte string: nothing is resolved, cleaned or refused yet. */
  readonly name: string;
  readonly linkName: string;
  /** The permission bits, 07777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  readonly devMajor: number;
  readonly devMinor: number;
  readonly xattrs: readonly Xattr[];
  /** Bytes of content, holes included; 0 for what is not a file. */
  readonly size: number;
  /** Where the stored part of the content begins in the archive, a multiple of 512, and its length. */
  readonly storedOffset: number;
  readonly storedBytes: number;
  readonly sparse: SparseMap | undefined;
}

/** The entry before its place in the archive and, for sparse files, its map are known. */
export interface EntryDraft {
  readonly entry: Omit<TarEntry, 'size' | 'storedOffset' | 'sparse'>;
  readonly paxSparse: PaxSparse | undefined;
}

/** uid -1 means "leave it" to chown(2) and "invalid" to the kernel, so it is no owner. */
const ID_MAX = 2 ** 32 - 2;

/** The header with the extended headers applied: PAX over the header, and GNU names over PAX, as Go does. */
export function draftEntry(header: Header, extensions: Extensions, limits: LayerLimits): EntryDraft {
  const { records, gnuName, gnuLinkName } = extensions;
  const pax = applyPax(header, records, limits);
  const sparse = paxSparse(records);
  const name = checkedName(gnuName ?? sparse?.name ?? pax.name, limits);
  const type = entryType(header, name);
  if (sparse !== undefined && type !== 'file') {
    throw new LayerError('MALFORMED', `cannot read ${quoteBytes(name)}: a sparse ${type}`);
  }
  // Go and GNU tar take no data after these, whatever the size says; to do the same is to see the same entries.
  const storedBytes = type === 'file' ? pax.size : 0;
  const linkName = checkedLength(gnuLinkName ?? pax.linkName, limits);
  const { uid, gid, mtime, mode, xattrs } = pax;
  const { devMajor, devMinor } = header;
  const entry = { type, name, linkName, mode, uid, gid, mtime, devMajor, devMinor, xattrs, storedBytes };
  return { entry, paxSparse: sparse };
}

function applyPax(header: Header, records: readonly PaxRecord[], limits: LayerLimits) {
  let { name, linkName, size, uid, gid } = header;
  let mtime: Timestamp = { seconds: header.mtime, nanoseconds: 0 };
  const xattrs: Xattr[] = [];
  for (const record of records) {
    const isEmpty = record.value.length === 0;
    // An empty value takes a record back, and with it what it had overridden.
    switch (record.key) {
      case 'path':
        name = isEmpty ? header.name : paxText(record);
        break;
      case 'linkpath':
        linkName = isEmpty ? header.linkName : paxText(record);
        break;
      case 'size':
        size = isEmpty ? header.size : paxInteger(record);
        break;
      case 'uid':
        uid = isEmpty ? header.uid : paxInteger(record);
        break;
      case 'gid':
        gid = isEmpty ? header.gid : paxInteger(record);
        break;
      case 'mtime':
        mtime = isEmpty ? { seconds: header.mtime, nanoseconds: 0 } : paxTime(record);
        break;
      default: {
        const xattr = decodeXattr(record);
        if (xattr !== undefined) xattrs.push(xattr);
      }
    }
  }
  if (size < 0) throw new LayerError('MALFORMED', `cannot read ${quoteBytes(name)}: its size is negative`);
  return {
    name,
    linkName,
    size,
    uid: checkedId(uid, 'uid', name),
    gid: checkedId(gid, 'gid', name),
    mtime,
    mode: header.mode & 0o7777,
    xattrs: lastOfEachName(xattrs, limits),
  };
}

function entryType(header: Header, name: string): TarEntryType {
  const type = typeOf(header);
  switch (type) {
    case 'gnu-sparse':
      return 'file';
    case 'file':
      // v7 had no directories: a file whose name ends in a slash was one.
      return header.typeflag === '\0' && name.endsWith('/') ? 'directory' : 'file';
    case 'pax':
    case 'global-pax':
    case 'gnu-name':
    case 'gnu-link-name':
      throw new TypeError(`${type} describes an entry and is none`);
    default:
      return type;
  }
}

function checkedName(name: string, limits: LayerLimits): string {
  if (name === '') throw new LayerError('MALFORMED', 'cannot read tar header: an entry has no name');
  return checkedLength(name, limits);
}

function checkedLength(name: string, limits: LayerLimits): string {
  if (name.length <= limits.nameBytes) return name;
  throw new LayerError('LIMIT', `cannot take ${quoteBytes(name)}: longer than ${limits.nameBytes} bytes`);
}

function checkedId(id: number, field: string, name: string): number {
  if (id >= 0 && id <= ID_MAX) return id;
  throw new LayerError('MALFORMED', `cannot read ${quoteBytes(name)}: ${field} ${id} is not possible`);
}
