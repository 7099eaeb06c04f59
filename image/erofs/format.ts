// EROFS as it lies on disk. Names, numbers and order are those of fs/erofs/erofs_fs.h (Linux 6.12).
import { crc32c } from './crc32c.ts';

export const EROFS_SUPER_OFFSET = 1024;
const EROFS_SUPER_BYTES = 128;
const EROFS_SUPER_MAGIC_V1 = 0xe0f5e1e2;

const EROFS_FEATURE_COMPAT_SB_CHKSUM = 0x1;
const EROFS_FEATURE_COMPAT_MTIME = 0x2;

export const EROFS_INODE_FLAT_PLAIN = 0;
export const EROFS_INODE_FLAT_INLINE = 2;
const EROFS_INODE_LAYOUT_EXTENDED = 1;

/** An inode's number is its place in the metadata area, in slots of 32 bytes. */
export const SLOT_BYTES = 32;
/** struct erofs_inode_extended: 32-bit owners, 64-bit size, nanoseconds. */
export const INODE_BYTES = 64;
/** An address that no block has. */
export const EROFS_NULL_ADDR = 0xffffffff;

export const XATTR_HEADER_BYTES = 12;
export const XATTR_ENTRY_BYTES = 4;
export const XATTR_ALIGN = 4;
/** h_shared_count has 8 bits. */
export const XATTR_SHARED_MAX = 255;

export const DIRENT_BYTES = 12;

// stat(2).
export const S_IFMT = 0o170000;
export const S_IFIFO = 0o010000;
export const S_IFCHR = 0o020000;
export const S_IFDIR = 0o040000;
export const S_IFBLK = 0o060000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;

/** Offsets in struct erofs_inode_extended. */
export const INODE = {
  i_format: 0,
  i_xattr_icount: 2,
  i_mode: 4,
  i_size: 8,
  i_u: 16,
  i_ino: 20,
  i_uid: 24,
  i_gid: 28,
  i_mtime: 32,
  i_mtime_nsec: 40,
  i_nlink: 44,
} as const;

export const inodeFormat = (layout: number): number => EROFS_INODE_LAYOUT_EXTENDED | (layout << 1);

/** EROFS_FT_*, which are the kernel's FT_*. */
// biome-ignore format: a table
const FILE_TYPES: ReadonlyMap<number, number> = new Map([
  [S_IFREG, 1],
  [S_IFDIR, 2],
  [S_IFCHR, 3],
  [S_IFBLK, 4],
  [S_IFIFO, 5],
  [S_IFLNK, 7],
]);

export const fileType = (mode: number): number => FILE_TYPES.get(mode & S_IFMT) ?? 0;

/** new_encode_dev() of the kernel. */
export const encodeDevice = (major: number, minor: number): number =>
  ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;

export function decodeDevice(rdev: number): { major: number; minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}

/** EROFS_XATTR_INDEX_*: the part of a name that is stored as a number. */
// biome-ignore format: a table
const XATTR_PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ['user.',                    1],
  ['system.posix_acl_access',  2],
  ['system.posix_acl_default', 3],
  ['trusted.',                 4],
  ['security.',                6],
];

/** `undefined` for a name that EROFS cannot hold. */
export function splitXattrName(name: string): { index: number; suffix: string } | undefined {
  for (const [prefix, index] of XATTR_PREFIXES) {
    if (name.startsWith(prefix)) return { index, suffix: name.slice(prefix.length) };
  }
  return undefined;
}

export function joinXattrName(index: number, suffix: string): string | undefined {
  const prefix = XATTR_PREFIXES.find(([, known]) => known === index)?.[0];
  return prefix === undefined ? undefined : prefix + suffix;
}

export interface SuperBlock {
  readonly blockSize: number;
  readonly rootNid: number;
  readonly inodes: number;
  readonly blocks: number;
  readonly metaBlock: number;
  readonly xattrBlock: number;
  readonly uuid: Uint8Array;
}

/** The block that holds the super block, from {@link EROFS_SUPER_OFFSET} on: what its checksum covers. */
export function encodeSuperBlock(fields: SuperBlock): Buffer {
  const { blockSize } = fields;
  const block = Buffer.alloc(blockSize > EROFS_SUPER_OFFSET ? blockSize - EROFS_SUPER_OFFSET : blockSize);
  block.writeUInt32LE(EROFS_SUPER_MAGIC_V1, 0);
  block.writeUInt32LE(EROFS_FEATURE_COMPAT_SB_CHKSUM | EROFS_FEATURE_COMPAT_MTIME, 8);
  block.writeUInt8(Math.log2(blockSize), 12);
  block.writeUInt16LE(fields.rootNid, 14);
  block.writeBigUInt64LE(BigInt(fields.inodes), 16);
  block.writeUInt32LE(fields.blocks, 36);
  block.writeUInt32LE(fields.metaBlock, 40);
  block.writeUInt32LE(fields.xattrBlock, 44);
  block.set(fields.uuid, 48);
  block.writeUInt32LE(crc32c(block), 4);
  return block;
}

/** `undefined` unless `bytes`, read at {@link EROFS_SUPER_OFFSET}, are a super block that {@link encodeSuperBlock} could have made. */
export function decodeSuperBlock(bytes: Buffer): SuperBlock | undefined {
  if (bytes.length < EROFS_SUPER_BYTES || bytes.readUInt32LE(0) !== EROFS_SUPER_MAGIC_V1) return undefined;
  const blockSize = 2 ** bytes.readUInt8(12);
  const uuid = bytes.subarray(48, 64);
  const incompatible = bytes.readUInt32LE(80);
  if (incompatible !== 0 || (blockSize !== 512 && blockSize !== 4096)) return undefined;
  return {
    blockSize,
    uuid,
    rootNid: bytes.readUInt16LE(14),
    inodes: Number(bytes.readBigUInt64LE(16)),
    blocks: bytes.readUInt32LE(36),
    metaBlock: bytes.readUInt32LE(40),
    xattrBlock: bytes.readUInt32LE(44),
  };
}
