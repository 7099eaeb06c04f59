// Waiting for children that JavaScript did not start.

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

/** wait(2), linux/wait.h. */
const WNOHANG = 1;

/** undefined: it still runs. @throws {SysError} ECHILD when it is no child of ours */
function waitIfEnded(pid: number): ExitStatus | undefined {
  const status = new Uint8Array(4);
  if (syscall('wait4', pid, status, WNOHANG, 0) === 0) return undefined;
  return decodeStatus(new DataView(status.buffer).getInt32(0, true));
}

interface Waiting {
  readonly pid: number;
  resolve(status: ExitStatus): void;
  reject(error: unknown): void;
}

const waiting = new Set<Waiting>();

/** A signal's handler does not keep Node running; this does, and looks now and then for itself. */
const LOOK_AGAIN_MS = 5000;
let lookAgain: NodeJS.Timeout | undefined;

/** On SIGCHLD. Several that end together make one signal, so it looks at all. */
function reapEnded(): void {
  for (const one of waiting) {
    try {
      const status = waitIfEnded(one.pid);
      if (status === undefined) continue;
      one.resolve(status);
    } catch (error) {
      one.reject(error);
    }
    waiting.delete(one);
  }
  if (waiting.size > 0 || lookAgain === undefined) return;
  clearInterval(lookAgain);
  lookAgain = undefined;
  process.off('SIGCHLD', reapEnded);
}

/**
 * The same while JavaScript goes on. On the main thread only, where signals are handled: a thread that waits instead
 * costs four, since the first makes libuv start all of its pool.
 */
export function waitForExit(pid: number): Promise<ExitStatus> {
  return new Promise((resolve, reject) => {
    waiting.add({ pid, resolve, reject });
    if (lookAgain === undefined) {
      process.on('SIGCHLD', reapEnded);
      lookAgain = setInterval(reapEnded, LOOK_AGAIN_MS);
    }
    reapEnded(); // it may have ended before anyone listened
  });
}
