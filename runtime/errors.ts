// What a user is told when something fails.
import { errnoText } from '../sys/errno.ts';

/** Where a `SysError` names a system call, this names what hull was asked to do. */
export class RuntimeError extends Error {
  readonly code: string;
  /** What to do about it: one more line under the message. */
  readonly hint: string | undefined;
  /** The exit status it asks for; 1 when left out. */
  readonly exitStatus: number | undefined;

  constructor(
    code: string,
    message: string,
    details: { cause?: unknown; hint?: string; exitStatus?: number } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'RuntimeError';
    this.code = code;
    this.hint = details.hint;
    this.exitStatus = details.exitStatus;
  }
}

/** An error of `node:fs` and its kin, whose own message reads `ENOENT: no such file or directory, open '/x'`. */
interface NodeSystemError extends Error {
  /** Negative, as libuv has it. */
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
}

function isNodeSystemError(error: Error): error is NodeSystemError {
  return 'syscall' in error && 'errno' in error && typeof error.errno === 'number' && error.errno < 0;
}

/** `open "/x": no such file or directory`, as every other message here reads. */
function describe(error: Error): string {
  if (!isNodeSystemError(error)) return error.message;
  const subject = error.path === undefined ? '' : ` ${JSON.stringify(error.path)}`;
  return `${error.syscall}${subject}: ${errnoText(-error.errno)}`;
}

/** The chain of causes on one line: what we were doing first, what the kernel said last. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? describe(error) : `${describe(error)}: ${explain(error.cause)}`;
}
