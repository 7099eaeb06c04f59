// What the kernel refused, in one line.
import { ERRNO_ALIASES, ERRNOS } from './abi/errno.ts';

type CanonicalName = keyof typeof ERRNOS;
export type ErrnoName = CanonicalName | keyof typeof ERRNO_ALIASES;

let byNumber: Map<number, CanonicalName> | undefined;

function canonicalName(errno: number): CanonicalName | undefined {
  byNumber ??= new Map((Object.keys(ERRNOS) as CanonicalName[]).map((name) => [ERRNOS[name][0], name]));
  return byNumber.get(errno);
}

const canonical = (name: ErrnoName): CanonicalName =>
  name in ERRNOS ? (name as CanonicalName) : ERRNO_ALIASES[name as keyof typeof ERRNO_ALIASES];

export const errnoNumber = (name: ErrnoName): number => ERRNOS[canonical(name)][0];

/** `ENOENT`; a number that no header names is printed as it is. */
export const errnoName = (errno: number): string => canonicalName(errno) ?? `errno ${errno}`;

/** `no such file or directory`; for a number that no header names, what Go and so runc would print. */
export function errnoText(errno: number): string {
  const name = canonicalName(errno);
  return name === undefined ? `errno ${errno}` : ERRNOS[name][1];
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
  return error instanceof Error && 'code' in error && codes.some((code) => canonical(code) === error.code);
}
