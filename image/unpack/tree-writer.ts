// Writes a merged tree to a directory while it grows.
import {
  closeSync,
  constants,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { AT_FDCWD, S_IFBLK, S_IFCHR, S_IFIFO } from '../../sys/abi/constants.ts';
import { errnoNumber, SysError } from '../../sys/errno.ts';
import { trySyscall } from '../../sys/syscall.ts';
import type { Place, TreeObserver } from '../tree/merge.ts';
import type { Device, Directory, Fifo, File, Leaf, Node, Symlink } from '../tree/node.ts';
import { cString, type Setter, setFileAttributes, setNodeAttributes } from './attributes.ts';
import { DirectoryCache } from './directory-cache.ts';

/** While it is filled, nobody else may look into it, and its owner must be able to. */
const UNFINISHED_MODE = 0o700;

const FILE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

interface OpenFile {
  readonly fd: number;
  readonly file: File;
  /** Where the next content goes. */
  position: number;
  /** Where the last content ended; a hole may follow. */
  end: number;
}

/**
 * The tree's directory is the process's own, new and empty: nobody else is in there, so what the tree says is what
 * is there. Still every name is used below an open descriptor, made exclusively and never followed (rules D1 to D3).
 */
export class TreeWriter implements TreeObserver, Disposable {
  readonly #directories: DirectoryCache;
  readonly #setter: Setter;
  readonly #root: Directory;
  /** Devices that this user cannot make. */
  readonly #skipped = new Set<Node>();
  #file: OpenFile | undefined;

  constructor(root: Directory, rootFd: number, setter: Setter) {
    this.#root = root;
    this.#directories = new DirectoryCache(root, rootFd);
    this.#setter = setter;
  }

  makeDirectory({ directory, name }: Place): void {
    mkdirSync(this.#directories.path(directory, name), UNFINISHED_MODE);
  }

  make(place: Place, leaf: Leaf): void {
    switch (leaf.kind) {
      case 'file':
        this.#makeFile(place, leaf);
        break;
      case 'symlink':
        this.#makeSymlink(place, leaf);
        break;
      default:
        this.#makeSpecial(place, leaf);
        break;
    }
  }

  link(place: Place, existing: Place): void {
    const node = existing.directory.children.get(existing.name)?.node;
    if (node !== undefined && this.#skipped.has(node)) return;
    this.finishFile();
    const from = this.#directories.path(existing.directory, existing.name);
    linkSync(from, this.#directories.path(place.directory, place.name));
  }

  remove({ directory, name }: Place, node: Node): void {
    if (this.#skipped.delete(node)) return;
    this.finishFile();
    if (node.kind === 'directory') {
      for (const [child, { node: below }] of node.children)
        this.remove({ directory: node, name: child }, below);
      this.#directories.close(node);
      rmdirSync(this.#directories.path(directory, name));
    } else {
      unlinkSync(this.#directories.path(directory, name));
    }
  }

  /** The next bytes of the file made last. */
  write(chunk: Uint8Array): void {
    const open = this.#file;
    if (open === undefined) throw new TypeError('content without a file');
    for (let done = 0; done < chunk.length; ) {
      done += writeSync(open.fd, chunk, done, chunk.length - done, open.position + done);
    }
    open.position += chunk.length;
    open.end = open.position;
  }

  skip(bytes: number): void {
    if (this.#file !== undefined) this.#file.position += bytes;
  }

  finishFile(): void {
    if (this.#file === undefined) return;
    const { fd, file, end } = this.#file;
    this.#file = undefined;
    try {
      if (end < file.content.size) ftruncateSync(fd, file.content.size);
      setFileAttributes(fd, file.attributes, this.#setter);
    } finally {
      closeSync(fd);
    }
  }

  /** Directories get their attributes when nothing in them changes any more, the innermost first. */
  finish(): void {
    this.finishFile();
    this.#finishDirectory(this.#root);
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file.fd);
    this.#file = undefined;
    this.#directories[Symbol.dispose]();
  }

  #finishDirectory(directory: Directory): void {
    for (const { node } of directory.children.values()) {
      if (node.kind === 'directory') this.#finishDirectory(node);
    }
    setFileAttributes(this.#directories.fd(directory), directory.attributes, this.#setter);
    this.#directories.close(directory);
  }

  #makeFile({ directory, name }: Place, file: File): void {
    this.finishFile();
    const fd = openSync(this.#directories.path(directory, name), FILE_FLAGS, 0o600);
    this.#file = { fd, file, position: 0, end: 0 };
  }

  #makeSymlink({ directory, name }: Place, symlink: Symlink): void {
    const path = this.#directories.path(directory, name);
    symlinkSync(Buffer.from(symlink.target, 'latin1'), path);
    setNodeAttributes(path, symlink.attributes, true, this.#setter);
  }

  #makeSpecial({ directory, name }: Place, special: Fifo | Device): void {
    const path = this.#directories.path(directory, name);
    const result = trySyscall('mknodat', AT_FDCWD, cString(path), modeOf(special), deviceOf(special));
    if (result === -errnoNumber('EPERM') && special.kind !== 'fifo') {
      this.#skipped.add(special);
      this.#setter.warn('device nodes');
      return;
    }
    if (result < 0) throw new SysError('mknodat', -result, name);
    setNodeAttributes(path, special.attributes, false, this.#setter);
  }
}

const FILE_TYPE = { fifo: S_IFIFO, character: S_IFCHR, block: S_IFBLK } as const;

const modeOf = ({ kind }: Fifo | Device): number => FILE_TYPE[kind] | 0o600;

/** new_encode_dev(), linux/kdev_t.h. */
const deviceOf = (special: Fifo | Device): number =>
  special.kind === 'fifo'
    ? 0
    : ((special.minor & 0xff) | (special.major << 8) | ((special.minor & ~0xff) << 12)) >>> 0;
