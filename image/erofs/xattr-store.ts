// Extended attributes of an image: those that several inodes have are stored once.
import type { Xattr } from '../tar/xattr.ts';
import {
  splitXattrName,
  XATTR_ALIGN,
  XATTR_ENTRY_BYTES,
  XATTR_HEADER_BYTES,
  XATTR_SHARED_MAX,
} from './format.ts';

interface StoredXattr {
  readonly index: number;
  readonly suffix: string;
  readonly value: Uint8Array;
  /** Inodes that have it. */
  uses: number;
  /** Its place in the shared area, in units of {@link XATTR_ALIGN}. */
  shared: number | undefined;
}

/** Longer values are not looked up: they are rare, hardly ever equal, and would be held twice. */
const SHAREABLE_BYTES_MAX = 1024;

export class XattrStore {
  readonly #known = new Map<string, StoredXattr>();
  readonly #byInode = new Map<number, readonly StoredXattr[]>();

  set(inode: number, xattrs: readonly Xattr[]): void {
    if (xattrs.length > 0)
      this.#byInode.set(
        inode,
        xattrs.map((xattr) => this.#intern(xattr)),
      );
    else this.#byInode.delete(inode);
  }

  add(inode: number, xattr: Xattr): void {
    this.#byInode.set(inode, [...(this.#byInode.get(inode) ?? []), this.#intern(xattr)]);
  }

  /** Decides what is shared, for the inodes that the image has, and encodes the shared area. */
  share(inodes: Iterable<number>): Buffer {
    for (const inode of inodes) for (const xattr of this.#byInode.get(inode) ?? []) xattr.uses++;
    const entries: Buffer[] = [];
    let end = 0;
    for (const xattr of this.#known.values()) {
      if (xattr.uses < 2) continue;
      const entry = encodeEntry(xattr);
      xattr.shared = end / XATTR_ALIGN;
      end += entry.length;
      entries.push(entry);
    }
    return Buffer.concat(entries, end);
  }

  /** Bytes between an inode and its inline content; a multiple of 4. */
  size(inode: number): number {
    const xattrs = this.#byInode.get(inode);
    if (xattrs === undefined) return 0;
    const { shared, own } = partition(xattrs);
    return XATTR_HEADER_BYTES + 4 * shared.length + own.reduce((sum, xattr) => sum + entryBytes(xattr), 0);
  }

  /** i_xattr_icount: the header counts as one, then each 4 bytes. */
  static count(size: number): number {
    return size === 0 ? 0 : (size - XATTR_HEADER_BYTES) / 4 + 1;
  }

  /** struct erofs_xattr_ibody_header, the ids of shared attributes, and the inode's own. */
  encode(inode: number): Buffer {
    const xattrs = this.#byInode.get(inode);
    if (xattrs === undefined) return Buffer.alloc(0);
    const { shared, own } = partition(xattrs);
    const head = Buffer.alloc(XATTR_HEADER_BYTES + 4 * shared.length);
    head.writeUInt8(shared.length, 4);
    shared.forEach((xattr, n) => {
      head.writeUInt32LE(xattr.shared ?? 0, XATTR_HEADER_BYTES + 4 * n);
    });
    return Buffer.concat([head, ...own.map(encodeEntry)]);
  }

  #intern({ name, value }: Xattr): StoredXattr {
    const split = splitXattrName(name);
    if (split === undefined) throw new TypeError(`EROFS has no extended attributes like ${name}`);
    const xattr: StoredXattr = { ...split, value, uses: 0, shared: undefined };
    if (value.length > SHAREABLE_BYTES_MAX) return xattr;
    const key = `${name}\0${value.toString('latin1')}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, xattr);
    return xattr;
  }
}

function partition(xattrs: readonly StoredXattr[]): { shared: StoredXattr[]; own: StoredXattr[] } {
  const shared = xattrs.filter((xattr) => xattr.shared !== undefined).slice(0, XATTR_SHARED_MAX);
  return { shared, own: xattrs.filter((xattr) => !shared.includes(xattr)) };
}

const entryBytes = ({ suffix, value }: StoredXattr): number =>
  Math.ceil((XATTR_ENTRY_BYTES + suffix.length + value.length) / XATTR_ALIGN) * XATTR_ALIGN;

/** struct erofs_xattr_entry, name and value. */
function encodeEntry(xattr: StoredXattr): Buffer {
  const bytes = Buffer.alloc(entryBytes(xattr));
  bytes.writeUInt8(xattr.suffix.length, 0);
  bytes.writeUInt8(xattr.index, 1);
  bytes.writeUInt16LE(xattr.value.length, 2);
  bytes.write(xattr.suffix, XATTR_ENTRY_BYTES, 'latin1');
  bytes.set(xattr.value, XATTR_ENTRY_BYTES + xattr.suffix.length);
  return bytes;
}
