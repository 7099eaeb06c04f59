// Reads the images that the sink writes, without mounting them.
import { readSync } from 'node:fs';
import { LayerError } from '../layer/error.ts';
import type { Timestamp } from '../tar/pax.ts';
import type { Xattr } from '../tar/xattr.ts';
import { type Dirent, decodeDirectory } from './dirent.ts';
import {
  decodeSuperBlock,
  EROFS_INODE_FLAT_INLINE,
  EROFS_INODE_FLAT_PLAIN,
  EROFS_SUPER_OFFSET,
  INODE,
  INODE_BYTES,
  inodeFormat,
  joinXattrName,
  S_IFDIR,
  S_IFMT,
  SLOT_BYTES,
  type SuperBlock,
  XATTR_ALIGN,
  XATTR_ENTRY_BYTES,
  XATTR_HEADER_BYTES,
} from './format.ts';

export interface ErofsInode {
  readonly nid: number;
  /** Type and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  readonly links: number;
  readonly size: number;
  /** The first block of the content, or a device number. */
  readonly address: number;
  readonly isInline: boolean;
  readonly xattrBytes: number;
}

export const isDirectory = ({ mode }: ErofsInode): boolean => (mode & S_IFMT) === S_IFDIR;

/** Of a file that is open elsewhere, and stays so. */
export class ErofsImage {
  readonly #fd: number;
  readonly #super: SuperBlock;

  constructor(fd: number) {
    this.#fd = fd;
    const superBlock = decodeSuperBlock(this.#bytes(EROFS_SUPER_OFFSET, 128));
    if (superBlock === undefined) throw unreadable('it has no super block that hull writes');
    this.#super = superBlock;
  }

  get superBlock(): SuperBlock {
    return this.#super;
  }

  get root(): ErofsInode {
    return this.inode(this.#super.rootNid);
  }

  inode(nid: number): ErofsInode {
    const bytes = this.#bytes(this.#inodeOffset(nid), INODE_BYTES);
    const format = bytes.readUInt16LE(INODE.i_format);
    const isInline = format === inodeFormat(EROFS_INODE_FLAT_INLINE);
    if (!isInline && format !== inodeFormat(EROFS_INODE_FLAT_PLAIN)) throw unreadable(`bad inode ${nid}`);
    const xattrCount = bytes.readUInt16LE(INODE.i_xattr_icount);
    return {
      nid,
      isInline,
      mode: bytes.readUInt16LE(INODE.i_mode),
      uid: bytes.readUInt32LE(INODE.i_uid),
      gid: bytes.readUInt32LE(INODE.i_gid),
      mtime: {
        seconds: Number(bytes.readBigInt64LE(INODE.i_mtime)),
        nanoseconds: bytes.readUInt32LE(INODE.i_mtime_nsec),
      },
      links: bytes.readUInt32LE(INODE.i_nlink),
      size: Number(bytes.readBigUInt64LE(INODE.i_size)),
      address: bytes.readUInt32LE(INODE.i_u),
      xattrBytes: xattrCount === 0 ? 0 : XATTR_HEADER_BYTES + 4 * (xattrCount - 1),
    };
  }

  /** The entries of a directory, `.` and `..` too, sorted as bytes. */
  list(directory: ErofsInode): Dirent[] {
    const content = Buffer.alloc(directory.size);
    this.read(directory, 0, content);
    return [...decodeDirectory(content, this.#super.blockSize)];
  }

  /** Bisects the blocks by their first names, as the kernel does: a layer can ask for very many names. */
  lookup(directory: ErofsInode, name: string): ErofsInode | undefined {
    let low = 0;
    let high = Math.ceil(directory.size / this.#super.blockSize) - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const [first] = this.#dirents(directory, middle);
      if (first !== undefined && first.name <= name) low = middle;
      else high = middle - 1;
    }
    const found = this.#dirents(directory, low).find((dirent) => dirent.name === name);
    return found && this.inode(found.nid);
  }

  /** Reads content into all of `into`, which ends no later than the content. */
  read(inode: ErofsInode, position: number, into: Buffer): void {
    const start = inode.isInline
      ? this.#inodeOffset(inode.nid) + INODE_BYTES + inode.xattrBytes
      : inode.address * this.#super.blockSize;
    if (position + into.length > inode.size) throw new RangeError('a read beyond the end of a file');
    this.#readAll(start + position, into);
  }

  symlinkTarget(inode: ErofsInode): string {
    const target = Buffer.alloc(inode.size);
    this.read(inode, 0, target);
    return target.toString('latin1');
  }

  xattrs(inode: ErofsInode): Xattr[] {
    if (inode.xattrBytes === 0) return [];
    const body = this.#bytes(this.#inodeOffset(inode.nid) + INODE_BYTES, inode.xattrBytes);
    const sharedEnd = XATTR_HEADER_BYTES + 4 * body.readUInt8(4);
    const xattrs: Xattr[] = [];
    for (let at = XATTR_HEADER_BYTES; at < sharedEnd; at += 4)
      xattrs.push(this.#sharedXattr(body.readUInt32LE(at)));
    for (let at = sharedEnd; at < body.length; at += xattrEntryBytes(body.subarray(at))) {
      xattrs.push(decodeXattrEntry(body.subarray(at)));
    }
    return xattrs;
  }

  #dirents(directory: ErofsInode, block: number): Dirent[] {
    const { blockSize } = this.#super;
    const bytes = Buffer.alloc(Math.min(blockSize, directory.size - block * blockSize));
    this.read(directory, block * blockSize, bytes);
    return [...decodeDirectory(bytes, blockSize)];
  }

  #sharedXattr(id: number): Xattr {
    const offset = this.#super.xattrBlock * this.#super.blockSize + id * XATTR_ALIGN;
    const length = xattrEntryBytes(this.#bytes(offset, XATTR_ENTRY_BYTES));
    return decodeXattrEntry(this.#bytes(offset, length));
  }

  #inodeOffset(nid: number): number {
    return this.#super.metaBlock * this.#super.blockSize + nid * SLOT_BYTES;
  }

  #bytes(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    this.#readAll(offset, bytes);
    return bytes;
  }

  #readAll(offset: number, into: Buffer): void {
    let done = 0;
    while (done < into.length) {
      const read = readSync(this.#fd, into, done, into.length - done, offset + done);
      if (read === 0) throw unreadable('it is cut off');
      done += read;
    }
  }
}

function xattrEntryBytes(entry: Buffer): number {
  const bytes = XATTR_ENTRY_BYTES + entry.readUInt8(0) + entry.readUInt16LE(2);
  return Math.ceil(bytes / XATTR_ALIGN) * XATTR_ALIGN;
}

function decodeXattrEntry(entry: Buffer): Xattr {
  const nameEnd = XATTR_ENTRY_BYTES + entry.readUInt8(0);
  const name = joinXattrName(entry.readUInt8(1), entry.toString('latin1', XATTR_ENTRY_BYTES, nameEnd));
  if (name === undefined) throw unreadable('bad extended attribute');
  return { name, value: Buffer.from(entry.subarray(nameEnd, nameEnd + entry.readUInt16LE(2))) };
}

const unreadable = (why: string): LayerError =>
  new LayerError('MALFORMED', `cannot read layer image: ${why}`);
