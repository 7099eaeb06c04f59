// process.rlimits by number. Source: asm-generic/resource.h.
import type { Rlimit, RlimitType } from '../spec/config/process.ts';
import { rlimit64 } from '../sys/abi/structs.ts';
import { block, type Program } from '../sys/plan/program.ts';

// biome-ignore format: a table
export const RLIMIT_NUMBERS: Readonly<Record<RlimitType, number>> = {
  RLIMIT_CPU: 0, RLIMIT_FSIZE: 1, RLIMIT_DATA: 2, RLIMIT_STACK: 3, RLIMIT_CORE: 4, RLIMIT_RSS: 5, RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7, RLIMIT_MEMLOCK: 8, RLIMIT_AS: 9, RLIMIT_LOCKS: 10, RLIMIT_SIGPENDING: 11, RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13, RLIMIT_RTPRIO: 14, RLIMIT_RTTIME: 15,
};

/** runc's text. */
export const rlimitLabel = (type: RlimitType): string =>
  `error setting rlimits for ready process: error setting rlimit type ${RLIMIT_NUMBERS[type]}`;

/** By the process itself, while it has the host's privileges: raising a hard limit needs CAP_SYS_RESOURCE. */
export function limitSelf(p: Program, rlimits: readonly Rlimit[]): void {
  for (const { type, soft, hard } of rlimits) {
    const limits = rlimit64.encode({ rlim_cur: BigInt(soft), rlim_max: BigInt(hard) });
    const text = `{${type} ${soft}:${hard}}`;
    p.call(rlimitLabel(type), 'prlimit64', [0, RLIMIT_NUMBERS[type], block(text, limits), 0]);
  }
}
