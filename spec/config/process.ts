/** config.md "Process" of the runtime-spec 1.3, for Linux. */

import type { Uint64 } from '../int64.ts';

/** getrlimit(2); all 16 resources that Linux has. */
export const RLIMIT_TYPES = [
  'RLIMIT_AS',
  'RLIMIT_CORE',
  'RLIMIT_CPU',
  'RLIMIT_DATA',
  'RLIMIT_FSIZE',
  'RLIMIT_LOCKS',
  'RLIMIT_MEMLOCK',
  'RLIMIT_MSGQUEUE',
  'RLIMIT_NICE',
  'RLIMIT_NOFILE',
  'RLIMIT_NPROC',
  'RLIMIT_RSS',
  'RLIMIT_RTPRIO',
  'RLIMIT_RTTIME',
  'RLIMIT_SIGPENDING',
  'RLIMIT_STACK',
] as const;

export type RlimitType = (typeof RLIMIT_TYPES)[number];

export interface Rlimit {
  readonly type: RlimitType;
  readonly soft: Uint64;
  /** RLIM_INFINITY is written as 18446744073709551615. */
  readonly hard: Uint64;
}

export const SCHEDULER_POLICIES = [
  'SCHED_OTHER',
  'SCHED_FIFO',
  'SCHED_RR',
  'SCHED_BATCH',
  'SCHED_ISO',
  'SCHED_IDLE',
  'SCHED_DEADLINE',
] as const;

export type SchedulerPolicy = (typeof SCHEDULER_POLICIES)[number];

export const SCHEDULER_FLAGS = [
  'SCHED_FLAG_RESET_ON_FORK',
  'SCHED_FLAG_RECLAIM',
  'SCHED_FLAG_DL_OVERRUN',
  'SCHED_FLAG_KEEP_POLICY',
  'SCHED_FLAG_KEEP_PARAMS',
  'SCHED_FLAG_UTIL_CLAMP_MIN',
  'SCHED_FLAG_UTIL_CLAMP_MAX',
] as const;

export type SchedulerFlag = (typeof SCHEDULER_FLAGS)[number];

export interface Scheduler {
  readonly policy: SchedulerPolicy;
  readonly nice?: number;
  readonly priority?: number;
  readonly flags?: readonly SchedulerFlag[];
  /** Nanoseconds, as the next two; for SCHED_DEADLINE only. */
  readonly runtime?: Uint64;
  readonly deadline?: Uint64;
  readonly period?: Uint64;
}

export const IO_PRIORITY_CLASSES = ['IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'] as const;

export type IoPriorityClass = (typeof IO_PRIORITY_CLASSES)[number];

export interface IoPriority {
  readonly class: IoPriorityClass;
  /** 0 is the highest, 7 the lowest. */
  readonly priority: number;
}

/** CPU lists such as `0-3,7`. */
export interface ExecCPUAffinity {
  readonly initial?: string;
  readonly final?: string;
}

/** Names that the kernel does not know are not an error: the runtime warns. */
export interface Capabilities {
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly permitted?: readonly string[];
  readonly ambient?: readonly string[];
}

/** Ids are those of the container's user namespace. */
export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
}

/** In characters. */
export interface ConsoleSize {
  readonly height: number;
  readonly width: number;
}

export interface Process {
  readonly terminal?: boolean;
  /** To be ignored unless `terminal` is true. */
  readonly consoleSize?: ConsoleSize;
  /** Absent is 0:0, as the standard's JSON schema allows and runc does. */
  readonly user?: User;
  /** `NAME=value` each. */
  readonly env?: readonly string[];
  readonly args: readonly string[];
  readonly cwd: string;
  readonly capabilities?: Capabilities;
  readonly rlimits?: readonly Rlimit[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  /** Absent means that oom_score_adj must not be touched; 0 is a value. */
  readonly oomScoreAdj?: number;
  readonly scheduler?: Scheduler;
  readonly selinuxLabel?: string;
  readonly ioPriority?: IoPriority;
  readonly execCPUAffinity?: ExecCPUAffinity;
}
