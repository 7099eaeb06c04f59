// Processors, scheduling policy and I/O priority of the container's process.

import type { IoPriority, Scheduler, SchedulerFlag, SchedulerPolicy } from '../spec/config/process.ts';
import { sched_attr } from '../sys/abi/structs.ts';
import { block, type Program } from '../sys/plan/program.ts';

/** linux/sched.h */
// biome-ignore format: a table
const POLICIES: Readonly<Record<SchedulerPolicy, number>> = {
  SCHED_OTHER: 0, SCHED_FIFO: 1, SCHED_RR: 2, SCHED_BATCH: 3, SCHED_ISO: 4, SCHED_IDLE: 5, SCHED_DEADLINE: 6,
};
// biome-ignore format: a table
const FLAGS: Readonly<Record<SchedulerFlag, number>> = {
  SCHED_FLAG_RESET_ON_FORK: 0x01, SCHED_FLAG_RECLAIM: 0x02, SCHED_FLAG_DL_OVERRUN: 0x04,
  SCHED_FLAG_KEEP_POLICY: 0x08, SCHED_FLAG_KEEP_PARAMS: 0x10,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20, SCHED_FLAG_UTIL_CLAMP_MAX: 0x40,
};

/** linux/ioprio.h */
const IOPRIO_CLASSES: Readonly<Record<IoPriority['class'], number>> = {
  IOPRIO_CLASS_RT: 1,
  IOPRIO_CLASS_BE: 2,
  IOPRIO_CLASS_IDLE: 3,
};
const IOPRIO_CLASS_SHIFT = 13;
const IOPRIO_WHO_PROCESS = 1;

/** Room for 8,192 processors, the most that Linux has; it takes those that there are. */
const PROCESSOR_MASK_BYTES = 1024;

/** What the caller was pinned to says nothing about the container, whose cpuset decides. */
export function useEveryProcessor(p: Program): void {
  const mask = block('{all}', new Uint8Array(PROCESSOR_MASK_BYTES).fill(0xff));
  p.call('use every processor', 'sched_setaffinity', [0, PROCESSOR_MASK_BYTES, mask], {
    ignore: ['EINVAL', 'EPERM'],
  });
}

export function setScheduler(p: Program, scheduler: Scheduler): void {
  const { policy, nice = 0, priority = 0, flags = [], runtime = 0, deadline = 0, period = 0 } = scheduler;
  const attributes = sched_attr.encode({
    size: sched_attr.size,
    sched_policy: POLICIES[policy],
    sched_flags: BigInt(flags.reduce((sum, flag) => sum | FLAGS[flag], 0)),
    sched_nice: nice,
    sched_priority: priority,
    sched_runtime: BigInt(runtime),
    sched_deadline: BigInt(deadline),
    sched_period: BigInt(period),
  });
  p.call(`take the scheduling policy ${policy}`, 'sched_setattr', [0, block(`{${policy}}`, attributes), 0]);
}

export function setIoPriority(p: Program, { class: name, priority }: IoPriority): void {
  const value = (IOPRIO_CLASSES[name] << IOPRIO_CLASS_SHIFT) | priority;
  p.call(`take the I/O priority ${name} ${priority}`, 'ioprio_set', [IOPRIO_WHO_PROCESS, 0, value]);
}
