// Path resolution by descriptor: nothing under a root is ever named by a joined string (rules D1 to D3).
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from './abi/constants.ts';
import { O_DIRECTORY } from './abi/fcntl.ts';
import { open_how } from './abi/structs.ts';
import { errnoNumber, SysError } from './errno.ts';
import { Fd } from './fd.ts';
import { trySyscall } from './syscall.ts';

/** For content that a container or image controls: symlinks are followed, but never out of the root. */
export const IN_ROOT = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
/** For cgroupfs and our own state: no symlink, no other mount, nothing above. */
export const STRICTLY_BENEATH =
  RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;

/** openat2 answers EAGAIN when a rename raced with `..` in a scoped walk; a hostile renamer must not stall us. */
const RACE_RETRIES = 64;

/** A directory below which paths are resolved. */
export class Root implements Disposable {
  readonly fd: Fd;
  readonly #resolve: number;

  constructor(fd: Fd, resolve: number = IN_ROOT) {
    this.fd = fd;
    this.#resolve = resolve;
  }

  /** `path` is trusted and resolved as any path is. @throws {SysError} */
  static open(path: string, resolve: number = IN_ROOT): Root {
    return new Root(openPath(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0), resolve);
  }

  /** Opens `path` below the root; `flags` as open(2) has them, O_CLOEXEC is added. @throws {SysError} */
  openAt(path: string, flags: number, mode = 0): Fd {
    return openPath(this.fd.number, path, flags, this.#resolve, mode);
  }

  /** The same, or undefined where nothing has that name. */
  tryOpenAt(path: string, flags: number): Fd | undefined {
    const result = openat2(this.fd.number, path, flags, this.#resolve, 0);
    if (result >= 0) return new Fd(result);
    if (-result === errnoNumber('ENOENT')) return undefined;
    throw new SysError('openat2', -result, path);
  }

  [Symbol.dispose](): void {
    this.fd[Symbol.dispose]();
  }
}

function openPath(dirfd: number, path: string, flags: number, resolve: number, mode = 0): Fd {
  const result = openat2(dirfd, path, flags, resolve, mode);
  if (result < 0) throw new SysError('openat2', -result, path);
  return new Fd(result);
}

/** @see openat2(2), Linux 5.6 */
function openat2(dirfd: number, path: string, flags: number, resolve: number, mode: number): number {
  const how = open_how.encode({
    flags: BigInt(flags | O_CLOEXEC),
    mode: BigInt(mode),
    resolve: BigInt(resolve),
  });
  for (let attempt = 0; ; attempt++) {
    const result = trySyscall('openat2', dirfd, path === '' ? '.' : path, how, open_how.size);
    if (result !== -errnoNumber('EAGAIN') || attempt === RACE_RETRIES) return result;
  }
}
