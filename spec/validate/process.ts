/** Rules for `process` (config.md of the runtime-spec 1.3; where runc has a text of its own, it is used). */

import {
  type Capabilities,
  type ConsoleSize,
  type ExecCPUAffinity,
  IO_PRIORITY_CLASSES,
  type IoPriority,
  type Process,
  RLIMIT_TYPES,
  type Rlimit,
  SCHEDULER_FLAGS,
  SCHEDULER_POLICIES,
  type Scheduler,
  type User,
} from '../config/process.ts';
import {
  absolutePath,
  also,
  boolean,
  type Check,
  distinct,
  integer,
  list,
  object,
  oneOf,
  type Rule,
  required,
  text,
  uint16,
  uint64,
} from '../schema.ts';
import { id } from './id-mappings.ts';
import { environmentVariable, numberList } from './text.ts';

/** NGROUPS_MAX. */
const ADDITIONAL_GIDS_MAX = 65_536;

/** Realtime priorities of sched(7), and the range of setpriority(2). */
const REALTIME_PRIORITY_MIN = 1;
const REALTIME_PRIORITY_MAX = 99;

const user = object<User>({
  uid: required(id),
  gid: required(id),
  umask: integer(0, 0o777),
  additionalGids: list(id, { lengthMax: ADDITIONAL_GIDS_MAX }),
});

/** The kernel's winsize has 16 bits for each. */
const consoleSize = object<ConsoleSize>({ height: required(uint16), width: required(uint16) });

const capabilityNames = list(text({ bytesMax: 255, empty: 'must not be empty' }));

const capabilities = object<Capabilities>({
  bounding: capabilityNames,
  effective: capabilityNames,
  inheritable: capabilityNames,
  permitted: capabilityNames,
  ambient: capabilityNames,
});

const rlimit = also(
  object<Rlimit>({
    type: required(oneOf(RLIMIT_TYPES)),
    soft: required(uint64),
    hard: required(uint64),
  }),
  ({ soft, hard }, at, report) => {
    if (soft > hard) report.add(`${at}.soft`, 'must not be above hard');
  },
);

/** sched_setattr(2), and the texts of runc's validator. */
const schedulerRule: Rule<Scheduler> = (scheduler, at, report) => {
  const { policy, priority = 0, runtime = 0, deadline = 0, period = 0 } = scheduler;
  const isRealtime = policy === 'SCHED_FIFO' || policy === 'SCHED_RR';
  if (priority !== 0 && !isRealtime) {
    report.add(`${at}.priority`, 'scheduler.priority can only be specified for SchedFIFO or SchedRR policy');
  }
  if (isRealtime && (priority < REALTIME_PRIORITY_MIN || priority > REALTIME_PRIORITY_MAX)) {
    report.add(
      `${at}.priority`,
      `must be from ${REALTIME_PRIORITY_MIN} to ${REALTIME_PRIORITY_MAX} for ${policy}`,
    );
  }
  if (policy !== 'SCHED_DEADLINE') {
    if (BigInt(runtime) + BigInt(deadline) + BigInt(period) === 0n) return;
    report.add(at, 'scheduler runtime/deadline/period can only be specified for SchedDeadline policy');
  } else if (runtime > deadline || (BigInt(period) !== 0n && deadline > period)) {
    report.add(at, 'must have runtime <= deadline <= period');
  }
};

const scheduler = also(
  object<Scheduler>({
    policy: required(oneOf(SCHEDULER_POLICIES)),
    nice: integer(-20, 19),
    priority: integer(0, REALTIME_PRIORITY_MAX),
    flags: list(oneOf(SCHEDULER_FLAGS)),
    runtime: uint64,
    deadline: uint64,
    period: uint64,
  }),
  schedulerRule,
);

const ioPriority = object<IoPriority>({
  class: required(oneOf(IO_PRIORITY_CLASSES)),
  priority: required(integer(0, 7)),
});

const execCPUAffinity = object<ExecCPUAffinity>({ initial: numberList, final: numberList });

const args = also(list(text(), { empty: 'args must not be empty' }), ([first], at, report) => {
  if (first === '') report.add(`${at}[0]`, 'must not be empty');
});

export const process: Check<Process> = object<Process>({
  terminal: boolean,
  consoleSize,
  user,
  env: list(environmentVariable),
  args: required(args, 'args must not be empty'),
  cwd: required(absolutePath('Cwd property must not be empty'), 'Cwd property must not be empty'),
  capabilities,
  rlimits: also(list(rlimit), distinct('type')),
  noNewPrivileges: boolean,
  apparmorProfile: text(),
  oomScoreAdj: integer(-1000, 1000),
  scheduler,
  selinuxLabel: text(),
  ioPriority,
  execCPUAffinity,
});
