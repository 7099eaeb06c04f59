// Open descriptors of the directories that are being filled.
import { closeSync, constants, openSync } from 'node:fs';
import type { Directory } from '../tree/node.ts';

/** Archives go through directories in order, so few are enough; each is a descriptor of this process. */
const OPEN_MAX = 128;

const NOT_ASCII = /[\x80-\xff]/;

const DIRECTORY_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * The path of one name in an open directory. Its only component below the descriptor is `name`, so nothing that an
 * image says can lead the kernel elsewhere, and node:fs serves, which is three times as fast as a call through FFI.
 */
export function pathIn(fd: number, name: string): string | Buffer {
  const path = `/proc/self/fd/${fd}/${name}`;
  return NOT_ASCII.test(name) ? Buffer.from(path, 'latin1') : path;
}

export class DirectoryCache implements Disposable {
  readonly #root: Directory;
  readonly #rootFd: number;
  /** The one used last is last. */
  readonly #open = new Map<Directory, number>();

  constructor(root: Directory, rootFd: number) {
    this.#root = root;
    this.#rootFd = rootFd;
  }

  /** Valid until the next but {@link OPEN_MAX} - 1 directories are asked for. */
  fd(directory: Directory): number {
    const known = this.#known(directory);
    if (known !== undefined) return known;
    const fd = this.#openBelow(directory);
    this.#open.set(directory, fd);
    if (this.#open.size > OPEN_MAX) {
      const [oldest] = this.#open.keys();
      if (oldest !== undefined) this.close(oldest);
    }
    return fd;
  }

  path(directory: Directory, name: string): string | Buffer {
    return pathIn(this.fd(directory), name);
  }

  close(directory: Directory): void {
    const fd = this.#open.get(directory);
    if (fd === undefined) return;
    this.#open.delete(directory);
    closeSync(fd);
  }

  [Symbol.dispose](): void {
    for (const directory of [...this.#open.keys()]) this.close(directory);
  }

  #known(directory: Directory): number | undefined {
    if (directory === this.#root) return this.#rootFd;
    const fd = this.#open.get(directory);
    if (fd === undefined) return undefined;
    this.#open.delete(directory);
    this.#open.set(directory, fd);
    return fd;
  }

  /** From the nearest directory that is open, name by name. */
  #openBelow(directory: Directory): number {
    const names: string[] = [];
    let above = directory;
    let start = this.#known(above);
    for (; start === undefined; start = this.#known(above)) {
      names.push(above.name);
      above = above.parent;
    }
    let fd = start;
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const below = openSync(pathIn(fd, name), DIRECTORY_FLAGS);
      if (fd !== start) closeSync(fd);
      fd = below;
    }
    return fd;
  }
}
