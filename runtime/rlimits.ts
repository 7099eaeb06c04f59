// process.rlimits, set from outside, where a limit may be raised (prlimit(2)).
import type { Rlimit, RlimitType } from '../spec/config/process.ts';
import { rlimit64 } from '../sys/abi/structs.ts';
import { isErrno } from '../sys/errno.ts';
import { syscall } from '../sys/syscall.ts';
import { explain } from './errors.ts';

/** asm-generic/resource.h */
// biome-ignore format: a table
const NUMBERS: Readonly<Record<RlimitType, number>> = {
  RLIMIT_CPU: 0, RLIMIT_FSIZE: 1, RLIMIT_DATA: 2, RLIMIT_STACK: 3, RLIMIT_CORE: 4, RLIMIT_RSS: 5, RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7, RLIMIT_MEMLOCK: 8, RLIMIT_AS: 9, RLIMIT_LOCKS: 10, RLIMIT_SIGPENDING: 11, RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13, RLIMIT_RTPRIO: 14, RLIMIT_RTTIME: 15,
};

/** @throws {Error} runc's text */
export function setRlimits(pid: number, rlimits: readonly Rlimit[]): void {
  for (const { type, soft, hard } of rlimits) {
    const limits = rlimit64.encode({ rlim_cur: BigInt(soft), rlim_max: BigInt(hard) });
    try {
      syscall('prlimit64', pid, NUMBERS[type], limits, 0);
    } catch (error) {
      const hint = isErrno(error, 'EPERM') ? ' (raising a hard limit needs CAP_SYS_RESOURCE)' : '';
      throw new Error(
        `error setting rlimits for ready process: error setting rlimit type ${NUMBERS[type]}: ${explain(error)}${hint}`,
      );
    }
  }
}

/**
 * Node raises its own soft limit of open files to the hard one; the launcher passes on what the caller had, so that
 * a container without a limit of its own inherits that.
 */
export function restoreOpenFiles(
  pid: number,
  rlimits: readonly Rlimit[],
  callersSoftLimit: number | undefined,
): void {
  if (callersSoftLimit === undefined || rlimits.some(({ type }) => type === 'RLIMIT_NOFILE')) return;
  const current = new Uint8Array(rlimit64.size);
  syscall('prlimit64', pid, NUMBERS.RLIMIT_NOFILE, 0, current);
  const { rlim_max } = rlimit64.decode(current);
  const soft = BigInt(callersSoftLimit);
  if (soft > rlim_max) return;
  syscall('prlimit64', pid, NUMBERS.RLIMIT_NOFILE, rlimit64.encode({ rlim_cur: soft, rlim_max }), 0);
}
