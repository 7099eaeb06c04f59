// Where an image comes from, as files with paths: a directory, or an archive that is read in place.
import { constants, fstatSync, readSync } from 'node:fs';
import type { Fd } from '../../sys/fd.ts';
import { Root } from '../../sys/path.ts';
import { ImageError } from '../error.ts';

/** A file, or the stretch of an archive that an entry fills. */
export interface Slice extends Disposable {
  readonly fdNumber: number;
  readonly offset: number;
  readonly size: number;
}

export interface FileTree extends Disposable {
  /** As the user named it, for errors. */
  readonly location: string;
  /** `path` is relative and has no `..`; undefined where nothing has that name. @throws {ImageError} */
  open(path: string): Slice | undefined;
}

/** Reads all of a small file; one that is longer than `bytesMax` is not read at all. @throws {ImageError} */
export function readSlice(slice: Slice, bytesMax: number, name: string): Buffer {
  if (slice.size > bytesMax) {
    throw new ImageError('REJECTED', `cannot read "${name}": ${slice.size} bytes are more than ${bytesMax}`);
  }
  const bytes = Buffer.allocUnsafe(slice.size);
  for (let done = 0; done < bytes.length; ) {
    const count = readSync(slice.fdNumber, bytes, done, bytes.length - done, slice.offset + done);
    if (count === 0) throw new ImageError('REJECTED', `cannot read "${name}": the file is cut off`);
    done += count;
  }
  return bytes;
}

/** A path that an image's own documents give may not leave the tree, nor pass for another. */
export function isPlainPath(path: string): boolean {
  return (
    !path.includes('\0') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

/** A directory. Symbolic links are followed inside it (build tools make layouts of links), never out of it. */
export class DirectoryTree implements FileTree {
  readonly location: string;
  readonly #root: Root;

  private constructor(location: string, root: Root) {
    this.location = location;
    this.#root = root;
  }

  /** @throws {SysError} */
  static open(location: string): DirectoryTree {
    return new DirectoryTree(location, Root.open(location));
  }

  open(path: string): Slice | undefined {
    // O_NONBLOCK: a fifo in a blob's place must not stop us.
    const fd = this.#root.tryOpenAt(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return fd === undefined ? undefined : fileSlice(fd, `${this.location}/${path}`);
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
  }
}

/** Takes over `fd`. */
function fileSlice(fd: Fd, name: string): Slice {
  const stat = fstatSync(fd.number);
  if (!stat.isFile()) {
    fd[Symbol.dispose]();
    throw new ImageError('REJECTED', `cannot read "${name}": not a regular file`);
  }
  return {
    fdNumber: fd.number,
    offset: 0,
    size: stat.size,
    [Symbol.dispose]: () => fd[Symbol.dispose](),
  };
}
