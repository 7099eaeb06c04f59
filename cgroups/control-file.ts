// The small text files through which a cgroup is read and told what to do.
import { readSync, writeSync } from 'node:fs';
import { O_RDONLY, O_WRONLY } from '../sys/abi/constants.ts';
import { isErrno, SysError } from '../sys/errno.ts';
import type { Fd } from '../sys/fd.ts';
import { Root, STRICTLY_BENEATH } from '../sys/path.ts';

/** cgroup.procs of as many processes as the kernel can have: 2^22 of them, 8 bytes each. */
const CONTROL_FILE_BYTES_MAX = 32 * 1024 * 1024;

const chunk = Buffer.alloc(4096);

/** @throws {SysError} ENOENT or ENODEV: the cgroup has been removed */
export function readControl(cgroup: Fd, name: string): string {
  using file = new Root(cgroup, STRICTLY_BENEATH).openAt(name, O_RDONLY);
  let text = '';
  for (;;) {
    const bytes = readSync(file.number, chunk);
    if (bytes === 0) return text;
    text += chunk.toString('latin1', 0, bytes);
    if (text.length > CONTROL_FILE_BYTES_MAX) {
      throw new RangeError(`cannot read "${name}": more than ${CONTROL_FILE_BYTES_MAX} bytes`);
    }
  }
}

/** @throws {SysError} what the kernel thinks of the value */
export function writeControl(cgroup: Fd, name: string, value: string): void {
  using file = new Root(cgroup, STRICTLY_BENEATH).openAt(name, O_WRONLY);
  try {
    writeSync(file.number, value);
  } catch (error) {
    // Node's own error names neither the file nor the value.
    if (error instanceof Error && 'errno' in error) {
      throw new SysError('write', -Number(error.errno), `${name}: ${value}`);
    }
    throw error;
  }
}

/** The cgroup is no more: ENOENT when it was opened, ENODEV when a file of it was read. */
export const isGone = (error: unknown): boolean => isErrno(error, 'ENOENT', 'ENODEV');

/** The value of `key` in a file of lines `key value`. @see cgroup-v2.rst, "flat keyed" */
export function flatKeyedValue(text: string, key: string): string | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${key} `));
  return line?.slice(key.length + 1);
}
