// tmpcopyup: a new tmpfs starts with what the image has at its place. Filled by the host before the container has it,
// by descriptors all the way (rule D1): no name of the image leads out of its root, none is followed in the tmpfs.
import {
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lchownSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  type Stats,
  symlinkSync,
} from 'node:fs';
import { AT_FDCWD, O_PATH } from '../sys/abi/constants.ts';
import { Fd } from '../sys/fd.ts';
import { Root } from '../sys/path.ts';
import { syscall, trySyscall } from '../sys/syscall.ts';
import { RuntimeError } from './errors.ts';

/** A volume's first content is small; what an image could put there is not ours to hold in memory without end. */
const ENTRIES_MAX = 100_000;
const BYTES_MAX = 1024 * 1024 * 1024;
const DEPTH_MAX = 128;

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_WRONLY, O_CREAT, O_EXCL } = constants;

/**
 * Copies the directory `destination` below `rootfs` into the file system at `target` (an O_PATH descriptor will do).
 * Nothing there is fine. @throws {RuntimeError} beyond a limit
 */
export function copyUp(rootfs: string, destination: string, target: number): void {
  using root = Root.open(rootfs);
  using source = root.tryOpenAt(destination.slice(1), O_RDONLY | O_DIRECTORY);
  if (source === undefined) return;
  using into = new Fd(openSync(`/proc/self/fd/${target}/.`, O_RDONLY | O_DIRECTORY));
  new Copy(destination).directory(source.number, into.number, 0);
}

class Copy {
  readonly #destination: string;
  #entries = 0;
  #bytes = 0;

  constructor(destination: string) {
    this.#destination = destination;
  }

  directory(from: number, to: number, depth: number): void {
    if (depth > DEPTH_MAX) throw this.#tooMuch(`more than ${DEPTH_MAX} levels`);
    for (const name of readdirSync(`/proc/self/fd/${from}`, { encoding: 'buffer' })) {
      this.#entries += 1;
      if (this.#entries > ENTRIES_MAX) throw this.#tooMuch(`more than ${ENTRIES_MAX} entries`);
      this.#entry(from, to, name, depth);
    }
    copyAttributes(fstatSync(from), to);
  }

  #entry(from: number, to: number, name: Buffer, depth: number): void {
    const [source, copy] = [pathIn(from, name), pathIn(to, name)];
    // O_PATH first: a FIFO or a device is never opened.
    using seen = new Fd(openSync(source, O_PATH | O_NOFOLLOW));
    const stat = fstatSync(seen.number);
    if (stat.isSymbolicLink()) {
      symlinkSync(readlinkSync(source, { encoding: 'buffer' }), copy);
      lchownSync(copy, stat.uid, stat.gid);
    } else if (stat.isDirectory()) {
      mkdirSync(copy, { mode: 0o700 });
      using below = new Fd(openSync(`/proc/self/fd/${seen.number}/.`, O_RDONLY | O_DIRECTORY));
      using into = new Fd(openSync(copy, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      this.directory(below.number, into.number, depth + 1);
    } else if (stat.isFile()) {
      this.#file(source, copy, stat);
    } else {
      syscall('mknodat', AT_FDCWD, Buffer.concat([copy, NUL]), stat.mode, stat.rdev);
      lchownSync(copy, stat.uid, stat.gid);
    }
  }

  #file(source: Buffer, copy: Buffer, stat: Stats): void {
    this.#bytes += stat.size;
    if (this.#bytes > BYTES_MAX) throw this.#tooMuch(`more than ${BYTES_MAX} bytes`);
    using input = new Fd(openSync(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    using output = new Fd(openSync(copy, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600));
    let left = stat.size;
    while (left > 0) {
      const sent = trySyscall('sendfile', output.number, input.number, 0, left);
      if (sent <= 0) break; // the file has become shorter
      left -= sent;
    }
    copyAttributes(stat, output.number);
  }

  #tooMuch(what: string): RuntimeError {
    return new RuntimeError(
      'TOO_MUCH',
      `cannot copy the image's "${this.#destination}" to its volume: ${what}`,
    );
  }
}

const NUL = Buffer.alloc(1);

/** Names are bytes, and need not be text. */
const pathIn = (directory: number, name: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);

function copyAttributes(stat: Stats, fd: number): void {
  fchownSync(fd, stat.uid, stat.gid);
  fchmodSync(fd, stat.mode & 0o7777); // after the owner: a change of owner takes set-user-id away
  futimesSync(fd, stat.atimeMs / 1000, stat.mtimeMs / 1000);
}
