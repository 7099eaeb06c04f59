// What the kernel refused, in one line.
import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';

export type ErrnoName = keyof typeof constants.errno;

const NAMES: ReadonlyMap<number, ErrnoName> = new Map(
  // EAGAIN and EWOULDBLOCK share a number, ENOTSUP and EOPNOTSUPP too: the first one listed names it.
  (Object.entries(constants.errno) as [ErrnoName, number][]).reverse().map(([name, n]) => [n, name]),
);

/** strerror(3)'s words, lower case, where libuv's differ: they are what runc prints and people search for. */
const TEXTS: Partial<Record<ErrnoName, string>> = {
  EBUSY: 'device or resource busy',
  EEXIST: 'file exists',
  EFAULT: 'bad address',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  ENODEV: 'no such device',
  ENOEXEC: 'exec format error',
  ENOMEM: 'cannot allocate memory',
  ENOSPC: 'no space left on device',
  ENOTSUP: 'operation not supported',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files in system',
  ETXTBSY: 'text file busy',
  EXDEV: 'invalid cross-device link',
  ECHILD: 'no child processes',
};

export const errnoNumber = (name: ErrnoName): number => constants.errno[name];

/** `ENOENT`; a number that no header names is printed as it is. */
export const errnoName = (errno: number): string => NAMES.get(errno) ?? `errno ${errno}`;

/** `no such file or directory` */
export function errnoText(errno: number): string {
  const name = NAMES.get(errno);
  if (name === undefined) return `error ${errno}`;
  return TEXTS[name] ?? getSystemErrorMessage(-errno);
}

/**
 * A system call that the kernel refused: `open_tree "/nonexistent": no such file or directory`.
 *
 * `code` is the name that Node's own fs errors carry, so {@link isErrno} serves for both.
 */
export class SysError extends Error {
  readonly syscall: string;
  readonly errno: number;
  readonly code: string;

  constructor(syscall: string, errno: number, subject?: string) {
    const call = subject === undefined ? syscall : `${syscall} ${JSON.stringify(subject)}`;
    super(`${call}: ${errnoText(errno)}`);
    this.name = 'SysError';
    this.syscall = syscall;
    this.errno = errno;
    this.code = errnoName(errno);
  }
}

/** For the refusals that were expected: `catch (error) { if (!isErrno(error, 'ENOENT')) throw error; }` */
export function isErrno(error: unknown, ...codes: readonly ErrnoName[]): boolean {
  return error instanceof Error && 'code' in error && (codes as readonly unknown[]).includes(error.code);
}
