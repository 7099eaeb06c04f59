// Waiting for children that JavaScript did not start.

import { POLLIN } from './abi/constants.ts';
import { HOST_ARCHITECTURE } from './abi/fcntl.ts';
import { pollfd } from './abi/structs.ts';
import { syscallNumber } from './abi/syscalls.ts';
import { Fd } from './fd.ts';
import { mapMemory, nativeSyscallInThread } from './ffi.ts';
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

/** poll(2)'s `struct pollfd`, which a thread reads while JavaScript goes on: memory of its own for each wait. */
const POLLFD_BYTES = 8;

/** A wait that ends without a result is one that a signal has ended; so many in a row are not signals. */
const SPURIOUS_ENDS_MAX = 1_000_000;

/**
 * The same while JavaScript goes on. A thread waits for the pidfd; the child is then reaped here, where errno can be
 * trusted (ffi-rs reads it on another thread than the one that made a call in a thread).
 */
export async function waitInThread(pid: number): Promise<ExitStatus> {
  using pidfd = new Fd(syscall('pidfd_open', pid, 0));
  const { address, bytes } = mapMemory(4096);
  bytes.set(pollfd.encode({ fd: pidfd.number, events: POLLIN }).subarray(0, POLLFD_BYTES));
  const number = syscallNumber('ppoll', HOST_ARCHITECTURE);
  for (let ends = 0; ends < SPURIOUS_ENDS_MAX; ends++) {
    if ((await nativeSyscallInThread([number, address, 1, 0, 0, 0])) === 1) return waitFor(pid);
  }
  throw new Error(`cannot wait for process ${pid}`);
}
