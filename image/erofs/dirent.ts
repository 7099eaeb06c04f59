// The content of directories: blocks of struct erofs_dirent, each block followed by its names.
import { DIRENT_BYTES } from './format.ts';

export interface Dirent {
  /** A byte string. */
  readonly name: string;
  readonly nid: number;
  /** EROFS_FT_* */
  readonly type: number;
}

/** How many bytes the directory has; `names` are in order, `.` and `..` among them. */
export function directorySize(names: readonly string[], blockSize: number): number {
  let blocks = 0;
  let used = 0;
  for (const name of names) {
    const bytes = DIRENT_BYTES + name.length;
    if (used + bytes > blockSize) {
      blocks++;
      used = 0;
    }
    used += bytes;
  }
  return blocks * blockSize + used;
}

/** The same bytes, {@link directorySize} of them. The kernel searches by bisection, in blocks and among them. */
export function encodeDirectory(dirents: readonly Dirent[], blockSize: number): Buffer {
  const bytes = Buffer.alloc(
    directorySize(
      dirents.map(({ name }) => name),
      blockSize,
    ),
  );
  let start = 0;
  for (let first = 0; first < dirents.length; start += blockSize) {
    let last = first;
    for (let used = 0; last < dirents.length; last++) {
      used += DIRENT_BYTES + (dirents[last]?.name.length ?? 0);
      if (used > blockSize) break;
    }
    encodeBlock(bytes, start, dirents.slice(first, last));
    first = last;
  }
  return bytes;
}

function encodeBlock(bytes: Buffer, start: number, dirents: readonly Dirent[]): void {
  let nameOffset = DIRENT_BYTES * dirents.length;
  dirents.forEach(({ name, nid, type }, n) => {
    const at = start + n * DIRENT_BYTES;
    bytes.writeUInt32LE(nid, at);
    bytes.writeUInt16LE(nameOffset, at + 8);
    bytes.writeUInt8(type, at + 10);
    bytes.write(name, start + nameOffset, 'latin1');
    nameOffset += name.length;
  });
}

/** The entries of a directory, as they lie in its content. */
export function* decodeDirectory(bytes: Buffer, blockSize: number): Generator<Dirent> {
  for (let start = 0; start < bytes.length; start += blockSize) {
    const block = bytes.subarray(start, start + blockSize);
    const count = block.readUInt16LE(8) / DIRENT_BYTES;
    for (let n = 0; n < count; n++) {
      const at = n * DIRENT_BYTES;
      const nameEnd = n + 1 < count ? block.readUInt16LE(at + DIRENT_BYTES + 8) : block.length;
      const name = block.toString('latin1', block.readUInt16LE(at + 8), nameEnd);
      const nul = name.indexOf('\0');
      yield {
        name: nul === -1 ? name : name.slice(0, nul),
        nid: Number(block.readBigUInt64LE(at)),
        type: block.readUInt8(at + 10),
      };
    }
  }
}
