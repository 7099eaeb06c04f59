// Standard output and standard error, written at once: process.stdout costs 0.6 ms to set up.
import { writeSync } from 'node:fs';
import { isErrno } from '../../sys/errno.ts';
import { RuntimeError } from '../errors.ts';

const STDOUT = 1;
const STDERR = 2;

/** How long to leave a reader that has fallen behind, on a descriptor that someone made non-blocking. */
const RETRY_MS = 1;

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

/** The code of the error that says that our reader has left, as `hull list | head -1` does. */
export const OUTPUT_CLOSED = 'OUTPUT_CLOSED';

export function print(text: string): void {
  try {
    writeAll(STDOUT, text);
  } catch (cause) {
    const code = isErrno(cause, 'EPIPE') ? OUTPUT_CLOSED : 'OUTPUT';
    throw new RuntimeError(code, 'cannot write to standard output', { cause });
  }
}

/** A line on standard error. Where nobody reads that, there is nobody left to tell. */
export function complain(line: string): void {
  try {
    writeAll(STDERR, `${line}\n`);
  } catch (error) {
    if (!isErrno(error, 'EPIPE', 'EBADF', 'EIO', 'ENOSPC')) throw error;
  }
}
