// Waiting for children that JavaScript did not start.
import { HOST_ARCHITECTURE } from './abi/fcntl.ts';
import { syscallNumber } from './abi/syscalls.ts';
import { errnoNumber, SysError } from './errno.ts';
import { type Mapping, mapMemory, nativeSyscallInThread } from './ffi.ts';
import { syscall } from './syscall.ts';

/** How a process ended: one of the two. */
export interface ExitStatus {
  readonly code: number;
  /** A number, or 0. */
  readonly signal: number;
}

/** wait(2)'s status word. */
export function decodeStatus(status: number): ExitStatus {
  return { code: (status >> 8) & 0xff, signal: status & 0x7f };
}

/** What a shell makes of it, and runc: 128 + signal. */
export const shellStatus = ({ code, signal }: ExitStatus): number => (signal === 0 ? code : 128 + signal);

/** Blocks until the child has ended. @throws {SysError} ECHILD when it is no child of ours */
export function waitFor(pid: number): ExitStatus {
  const status = new Uint8Array(4);
  syscall('wait4', pid, status, 0, 0);
  return decodeStatus(new DataView(status.buffer).getInt32(0, true));
}

let statusWord: Mapping | undefined;

/** The same while JavaScript goes on; for one child at a time. */
export async function waitInThread(pid: number): Promise<ExitStatus> {
  statusWord ??= mapMemory(4096);
  const number = syscallNumber('wait4', HOST_ARCHITECTURE);
  for (;;) {
    const result = await nativeSyscallInThread([number, pid, statusWord.address, 0, 0]);
    if (result === pid) return decodeStatus(statusWord.bytes.readInt32LE(0));
    if (result !== -errnoNumber('EINTR')) throw new SysError('wait4', -result);
  }
}
