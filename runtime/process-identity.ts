// Which process a pid meant when it was written down: pids are used again (rule D13).
import { readFileSync } from 'node:fs';
import { isErrno } from '../sys/errno.ts';
import { Fd } from '../sys/fd.ts';
import { syscall, trySyscall } from '../sys/syscall.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of /proc/PID/stat. */
  readonly startTime: number;
  readonly bootId: string;
}

interface ProcessStat {
  /** One letter; Z and X are dead. */
  readonly state: string;
  readonly startTime: number;
}

let bootId: string | undefined;

export function currentBootId(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trimEnd();
  return bootId;
}

/** @see proc_pid_stat(5); the name in parentheses may hold anything, so fields are counted from its end */
export function parseStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: Number(fields[19]) };
}

function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/** @throws {Error} when there is no such process */
export function identify(pid: number): ProcessIdentity {
  const stat = readStat(pid);
  if (stat === undefined) throw new Error(`process ${pid} is gone`);
  return { pid, startTime: stat.startTime, bootId: currentBootId() };
}

/** Whether that very process runs; a zombie does not. */
export function isAlive({ pid, startTime, bootId: boot }: ProcessIdentity): boolean {
  const stat = readStat(pid);
  if (stat === undefined || stat.startTime !== startTime) return false;
  return stat.state !== 'Z' && stat.state !== 'X' && boot === currentBootId();
}

/** A pidfd of that very process, or undefined when it is gone. */
export function openProcess(identity: ProcessIdentity): Fd | undefined {
  const result = trySyscall('pidfd_open', identity.pid, 0);
  if (result < 0) return undefined;
  const pidfd = new Fd(result);
  // Checked after the pidfd is held: from here on the pid cannot come to mean another process.
  if (isAlive(identity)) return pidfd;
  pidfd[Symbol.dispose]();
  return undefined;
}

/** @throws {SysError} */
export function sendSignal(pidfd: Fd, signal: number): void {
  syscall('pidfd_send_signal', pidfd.number, signal, 0, 0);
}
