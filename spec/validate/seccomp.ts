/** Rules for `linux.seccomp` (config-linux.md "Seccomp" of the runtime-spec 1.3), with runc's texts where it has one. */

import {
  SECCOMP_ACTIONS,
  SECCOMP_ARCHITECTURES,
  SECCOMP_FLAGS,
  SECCOMP_OPERATORS,
  type Seccomp,
  type SeccompAction,
  type SeccompArg,
  type SeccompSyscall,
} from '../config/seccomp.ts';
import {
  also,
  type Check,
  integer,
  list,
  object,
  oneOf,
  type Rule,
  required,
  text,
  uint64,
} from '../schema.ts';
import type { Report } from '../spec-error.ts';

/** The most that a filter can return with an action: SECCOMP_RET_DATA has 16 bits. */
const errnoRet = integer(0, 0xffff);

/** MAX_ERRNO: the kernel turns what is above it into it. */
const ERRNO_MAX = 4095;

/** sun_path without the NUL. */
const SOCKET_PATH_BYTES_MAX = 107;

/** The longest name of a system call that Linux has is 23 characters long. */
const SYSCALL_NAME_BYTES_MAX = 64;

/** Per rule a system call is tested for at most its six arguments, some of them twice. */
const SYSCALL_ARGS_MAX = 64;

const action = oneOf(SECCOMP_ACTIONS);

const arg = object<SeccompArg>({
  index: required(integer(0, 5)),
  value: required(uint64),
  valueTwo: uint64,
  op: required(oneOf(SECCOMP_OPERATORS)),
});

function checkErrno(kind: SeccompAction, errno: number | undefined, at: string, report: Report): void {
  if (errno === undefined || kind === 'SCMP_ACT_TRACE') return;
  if (kind !== 'SCMP_ACT_ERRNO') report.add(at, `must be absent: ${kind} returns no errno`);
  else if (errno > ERRNO_MAX) report.add(at, `must not be above ${ERRNO_MAX} for ${kind}`);
}

const syscall = also(
  object<SeccompSyscall>({
    names: required(
      list(text({ bytesMax: SYSCALL_NAME_BYTES_MAX, empty: 'must not be empty' }), {
        empty: 'must not be empty',
      }),
    ),
    action: required(action),
    errnoRet,
    args: list(arg, { lengthMax: SYSCALL_ARGS_MAX }),
  }),
  (value, at, report) => {
    checkErrno(value.action, value.errnoRet, `${at}.errnoRet`, report);
    if (value.action === 'SCMP_ACT_NOTIFY' && value.names.includes('write')) {
      report.add(`${at}.names`, 'SCMP_ACT_NOTIFY cannot be used for the write syscall');
    }
  },
);

const seccompRule: Rule<Seccomp> = (value, at, report) => {
  checkErrno(value.defaultAction, value.defaultErrnoRet, `${at}.defaultErrnoRet`, report);
  if (value.defaultAction === 'SCMP_ACT_NOTIFY') {
    report.add(`${at}.defaultAction`, 'SCMP_ACT_NOTIFY cannot be used as default action');
  }
  if (value.listenerPath !== undefined) return;
  if (value.listenerMetadata !== undefined)
    report.add(`${at}.listenerMetadata`, 'must come with listenerPath');
  if (value.syscalls?.some((entry) => entry.action === 'SCMP_ACT_NOTIFY')) {
    report.add(`${at}.listenerPath`, 'is required by SCMP_ACT_NOTIFY');
  }
};

export const seccomp: Check<Seccomp> = also(
  object<Seccomp>({
    defaultAction: required(action),
    defaultErrnoRet: errnoRet,
    architectures: list(oneOf(SECCOMP_ARCHITECTURES)),
    flags: list(oneOf(SECCOMP_FLAGS)),
    listenerPath: text({ bytesMax: SOCKET_PATH_BYTES_MAX, empty: 'must not be empty' }),
    listenerMetadata: text(),
    syscalls: list(syscall),
  }),
  seccompRule,
);
