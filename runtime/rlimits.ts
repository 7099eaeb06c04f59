// process.rlimits, and the one limit that Node changes for itself.

import { RLIMIT_NUMBERS, rlimitLabel } from '../namespaces/rlimits.ts';
import type { Rlimit } from '../spec/config/process.ts';
import { rlimit64 } from '../sys/abi/structs.ts';
import { syscall } from '../sys/syscall.ts';

/**
 * Node raises its own soft limit of open files to the hard one; the launcher passes on what the caller had, so that
 * a container without a limit of its own inherits that.
 */
export function withOpenFiles(
  rlimits: readonly Rlimit[],
  callersSoftLimit: number | undefined,
): readonly Rlimit[] {
  if (callersSoftLimit === undefined || rlimits.some(({ type }) => type === 'RLIMIT_NOFILE')) return rlimits;
  const current = new Uint8Array(rlimit64.size);
  syscall('prlimit64', 0, RLIMIT_NUMBERS.RLIMIT_NOFILE, 0, current);
  const { rlim_max: hard } = rlimit64.decode(current);
  if (BigInt(callersSoftLimit) > hard) return rlimits;
  return [...rlimits, { type: 'RLIMIT_NOFILE', soft: callersSoftLimit, hard }];
}

/** For a process in a user namespace, which may not raise its own. @throws {Error} runc's text */
export function setRlimits(pid: number, rlimits: readonly Rlimit[]): void {
  for (const { type, soft, hard } of rlimits) {
    const limits = rlimit64.encode({ rlim_cur: BigInt(soft), rlim_max: BigInt(hard) });
    try {
      syscall('prlimit64', pid, RLIMIT_NUMBERS[type], limits, 0);
    } catch (error) {
      throw new Error(`${rlimitLabel(type)}: ${(error as Error).message}`, { cause: error });
    }
  }
}
