import { describe, expect, it } from 'vitest';
import { complaintsAfter, type Row, rowName } from '../../../support/complaints.ts';

const AT = '$.linux.seccomp';
const RULE = `${AT}.syscalls[0]`;
const ARG = `${AT}.syscalls[1].args[0]`;
const UINT64 = 'must be an integer from 0 to 18446744073709551615';

const ROWS: readonly Row[] = [
  [AT, { defaultAction: 'SCMP_ACT_ALLOW' }],
  [AT, {}, `${AT}.defaultAction: is required`],
  [
    AT,
    { defaultAction: 'SCMP_ACT_DENY' },
    expect.stringContaining(`${AT}.defaultAction: must be one of "SCMP_ACT_KILL"`),
  ],
  [
    AT,
    { defaultAction: 'SCMP_ACT_NOTIFY' },
    `${AT}.defaultAction: SCMP_ACT_NOTIFY cannot be used as default action`,
  ],
  [AT, { defaultAction: 'SCMP_ACT_TRACE', defaultErrnoRet: 65_535 }],
  [
    AT,
    { defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 1 },
    `${AT}.defaultErrnoRet: must be absent: SCMP_ACT_ALLOW returns no errno`,
  ],
  [
    AT,
    { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 4096 },
    `${AT}.defaultErrnoRet: must not be above 4095 for SCMP_ACT_ERRNO`,
  ],
  [
    AT,
    { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: -1 },
    `${AT}.defaultErrnoRet: must be an integer from 0 to 65535`,
  ],
  [`${AT}.architectures[0]`, 'SCMP_ARCH_LOONGARCH64'],
  [`${AT}.architectures[0]`, 'x86_64', expect.stringContaining(`${AT}.architectures[0]: must be one of`)],
  [
    `${AT}.flags`,
    ['SECCOMP_FILTER_FLAG_NEW_LISTENER'],
    expect.stringContaining(`${AT}.flags[0]: must be one of`),
  ],
  [
    `${AT}.listenerPath`,
    undefined,
    `${AT}.listenerMetadata: must come with listenerPath`,
    `${AT}.listenerPath: is required by SCMP_ACT_NOTIFY`,
  ],
  [`${AT}.listenerPath`, 'a'.repeat(108), `${AT}.listenerPath: must not be longer than 107 bytes`],
  [`${RULE}.names`, [], `${RULE}.names: must not be empty`],
  [`${RULE}.names`, [''], `${RULE}.names[0]: must not be empty`],
  [`${RULE}.names`, ['not_a_syscall']],
  [`${RULE}.names`, undefined, `${RULE}.names: is required`],
  [`${RULE}.action`, 'SCMP_ACT_LOG', `${RULE}.errnoRet: must be absent: SCMP_ACT_LOG returns no errno`],
  [`${RULE}.action`, 'SCMP_ACT_TRACE'],
  [`${RULE}.errnoRet`, 4096, `${RULE}.errnoRet: must not be above 4095 for SCMP_ACT_ERRNO`],
  [
    `${AT}.syscalls[1].names`,
    ['read', 'write'],
    `${AT}.syscalls[1].names: SCMP_ACT_NOTIFY cannot be used for the write syscall`,
  ],
  [`${ARG}.index`, 6, `${ARG}.index: must be an integer from 0 to 5`],
  [`${ARG}.value`, 18446744073709551615n],
  [`${ARG}.value`, 18446744073709551616n, `${ARG}.value: ${UINT64}`],
  [`${ARG}.value`, undefined, `${ARG}.value: is required`],
  [`${ARG}.valueTwo`, undefined],
  [`${ARG}.op`, '==', expect.stringContaining(`${ARG}.op: must be one of`)],
];

describe('linux.seccomp', () => {
  for (const [index, row] of ROWS.entries()) {
    it(`${index}: ${rowName(row)}`, () => {
      const [path, value, ...expected] = row;
      expect(complaintsAfter(path, value)).toEqual(expected);
    });
  }
});
