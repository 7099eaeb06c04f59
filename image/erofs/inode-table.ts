// The inodes of an image, held in the form in which they are written.
import type { Attributes } from '../layer/entry.ts';
import { INODE, INODE_BYTES, S_IFMT } from './format.ts';

const INODES_PER_CHUNK = 4096;

/**
 * An inode is a number here, and 64 bytes: with a JavaScript object for each, a layer of a million files would need
 * several times the memory.
 */
export class InodeTable {
  readonly #chunks: Buffer[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** A new inode; `type` is one of S_IFMT. */
  add(type: number, attributes: Attributes): number {
    const inode = this.#count++;
    const index = inode % INODES_PER_CHUNK;
    if (index === 0) this.#chunks.push(Buffer.alloc(INODES_PER_CHUNK * INODE_BYTES));
    const chunk = this.#chunk(inode);
    chunk.writeUInt16LE(type | attributes.mode, index * INODE_BYTES + INODE.i_mode);
    this.describe(inode, attributes);
    return inode;
  }

  /** Gives an inode other attributes; its type stays. */
  describe(inode: number, { mode, uid, gid, mtime }: Attributes): void {
    const chunk = this.#chunk(inode);
    const at = offsetOf(inode);
    const type = chunk.readUInt16LE(at + INODE.i_mode) & S_IFMT;
    chunk.writeUInt16LE(type | mode, at + INODE.i_mode);
    chunk.writeUInt32LE(uid, at + INODE.i_uid);
    chunk.writeUInt32LE(gid, at + INODE.i_gid);
    write64(chunk, mtime.seconds, at + INODE.i_mtime);
    chunk.writeUInt32LE(mtime.nanoseconds, at + INODE.i_mtime_nsec);
  }

  mode(inode: number): number {
    return this.#chunk(inode).readUInt16LE(offsetOf(inode) + INODE.i_mode);
  }

  setSize(inode: number, size: number): void {
    write64(this.#chunk(inode), size, offsetOf(inode) + INODE.i_size);
  }

  /** The first block of the content, or a device number. */
  setAddress(inode: number, address: number): void {
    this.#chunk(inode).writeUInt32LE(address, offsetOf(inode) + INODE.i_u);
  }

  addLink(inode: number, links = 1): void {
    const at = offsetOf(inode) + INODE.i_nlink;
    const chunk = this.#chunk(inode);
    chunk.writeUInt32LE(chunk.readUInt32LE(at) + links, at);
  }

  links(inode: number): number {
    return this.#chunk(inode).readUInt32LE(offsetOf(inode) + INODE.i_nlink);
  }

  /** The 64 bytes, complete but for what depends on the place in the image. */
  encode(inode: number, place: { format: number; xattrCount: number; number: number }): Buffer {
    const at = offsetOf(inode);
    const bytes = this.#chunk(inode).subarray(at, at + INODE_BYTES);
    bytes.writeUInt16LE(place.format, INODE.i_format);
    bytes.writeUInt16LE(place.xattrCount, INODE.i_xattr_icount);
    bytes.writeUInt32LE(place.number, INODE.i_ino);
    return bytes;
  }

  #chunk(inode: number): Buffer {
    const chunk = this.#chunks[Math.floor(inode / INODES_PER_CHUNK)];
    if (chunk === undefined) throw new RangeError(`there is no inode ${inode}`);
    return chunk;
  }
}

const offsetOf = (inode: number): number => (inode % INODES_PER_CHUNK) * INODE_BYTES;

/** Two's complement, exact for every safe integer; much cheaper than a bigint. */
function write64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value >>> 0, at);
  bytes.writeInt32LE(Math.floor(value / 2 ** 32), at + 4);
}
