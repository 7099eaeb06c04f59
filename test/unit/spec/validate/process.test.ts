import { describe, expect, it } from 'vitest';
import { complaintsAfter, type Row, rowName } from '../../../support/complaints.ts';

const NOT_AN_ID = 'must be an integer from 0 to 4294967294';
const NOT_UINT64 = 'must be an integer from 0 to 18446744073709551615';
const MISSING_EQUALS = "invalid environment variable: missing '='";
const FIFO = { policy: 'SCHED_FIFO', priority: 1 };
const PRIORITY = 'scheduler.priority can only be specified for SchedFIFO or SchedRR policy';
const DEADLINE = 'scheduler runtime/deadline/period can only be specified for SchedDeadline policy';

const ROWS: readonly Row[] = [
  ['$.process', undefined],
  ['$.process', [], '$.process: must be an object'],
  ['$.process.user', undefined],
  ['$.process.user.uid', 0],
  ['$.process.user.uid', undefined, '$.process.user.uid: is required'],
  ['$.process.user.uid', '0', `$.process.user.uid: ${NOT_AN_ID}`],
  ['$.process.user.uid', -1, `$.process.user.uid: ${NOT_AN_ID}`],
  ['$.process.user.uid', 0.5, `$.process.user.uid: ${NOT_AN_ID}`],
  ['$.process.user.uid', Number.NaN, `$.process.user.uid: ${NOT_AN_ID}`],
  ['$.process.user.uid', 1n, `$.process.user.uid: ${NOT_AN_ID}`],
  ['$.process.user.uid', 4294967295, `$.process.user.uid: ${NOT_AN_ID}`],
  ['$.process.user.uid', 4294967296, `$.process.user.uid: ${NOT_AN_ID}`],
  ['$.process.user.gid', undefined, '$.process.user.gid: is required'],
  ['$.process.user.gid', 4294967295, `$.process.user.gid: ${NOT_AN_ID}`],
  ['$.process.user.umask', 0o777],
  ['$.process.user.umask', 0o1000, '$.process.user.umask: must be an integer from 0 to 511'],
  ['$.process.user.additionalGids', []],
  ['$.process.user.additionalGids[1]', '6', `$.process.user.additionalGids[1]: ${NOT_AN_ID}`],
  [
    '$.process.user.additionalGids',
    Array(65_537).fill(5),
    '$.process.user.additionalGids: must not have more than 65536 entries',
  ],
  ['$.process.terminal', 'true', '$.process.terminal: must be true or false'],
  [
    '$.process.consoleSize.height',
    65_536,
    '$.process.consoleSize.height: must be an integer from 0 to 65535',
  ],
  ['$.process.consoleSize.width', undefined, '$.process.consoleSize.width: is required'],
  ['$.process.cwd', '/a/../b'],
  ['$.process.cwd', undefined, '$.process.cwd: Cwd property must not be empty'],
  ['$.process.cwd', '', '$.process.cwd: Cwd property must not be empty'],
  ['$.process.cwd', 'tmp', '$.process.cwd: must be an absolute path'],
  ['$.process.cwd', `/${'a'.repeat(4094)}`],
  ['$.process.cwd', `/${'a'.repeat(4095)}`, '$.process.cwd: must not be longer than 4095 bytes'],
  ['$.process.cwd', `/${'é'.repeat(2048)}`, '$.process.cwd: must not be longer than 4095 bytes'],
  ['$.process.cwd', '/tmp\0/etc', '$.process.cwd: must not contain a NUL byte'],
  ['$.process.args', undefined, '$.process.args: args must not be empty'],
  ['$.process.args', [], '$.process.args: args must not be empty'],
  ['$.process.args', [''], '$.process.args[0]: must not be empty'],
  ['$.process.args', 'sh', '$.process.args: must be an array'],
  ['$.process.args', ['sh', 1], '$.process.args[1]: must be a string'],
  ['$.process.args', ['sh', null], '$.process.args[1]: must be a string'],
  ['$.process.args', ['sh', 'a\0b'], '$.process.args[1]: must not contain a NUL byte'],
  ['$.process.args', ['sh', 'a'.repeat(131_071)]],
  ['$.process.args', ['sh', 'a'.repeat(131_072)], '$.process.args[1]: must not be longer than 131071 bytes'],
  ['$.process.env', undefined],
  ['$.process.env', ['A=1', 'A=2', '_=', 'a b=c', 'B==', 'BASH_FUNC_f%%=() {\n:\n}']],
  [
    '$.process.env',
    ['FOO', '*', 'A=1', ''],
    `$.process.env[0]: ${MISSING_EQUALS}`,
    `$.process.env[1]: ${MISSING_EQUALS}`,
    `$.process.env[3]: ${MISSING_EQUALS}`,
  ],
  ['$.process.env', ['=x'], '$.process.env[0]: invalid environment variable: name cannot be empty'],
  [
    '$.process.env',
    ['A\nB=x'],
    '$.process.env[0]: invalid environment variable: name contains a control character',
  ],
  ['$.process.env', ['A=\0'], '$.process.env[0]: must not contain a NUL byte'],
  ['$.process.env', ['A=\ud800'], '$.process.env[0]: must be valid Unicode'],
  ['$.process.capabilities', {}],
  ['$.process.capabilities.bounding[0]', 'chown'],
  ['$.process.capabilities.bounding[0]', '', '$.process.capabilities.bounding[0]: must not be empty'],
  ['$.process.capabilities', ['CAP_KILL'], '$.process.capabilities: must be an object'],
  ['$.process.rlimits[1].type', 'RLIMIT_NPROC'],
  ['$.process.rlimits[1].type', 'RLIMIT_CORE', '$.process.rlimits[1].type: must not repeat "RLIMIT_CORE"'],
  [
    '$.process.rlimits[1].type',
    'NOFILE',
    expect.stringMatching(/^\$\.process\.rlimits\[1\]\.type: must be one of "RLIMIT_AS", /),
  ],
  ['$.process.rlimits[1].soft', undefined, '$.process.rlimits[1].soft: is required'],
  ['$.process.rlimits[1].soft', 1025, '$.process.rlimits[1].soft: must not be above hard'],
  ['$.process.rlimits[1].hard', 18446744073709551615n],
  ['$.process.rlimits[1].hard', 18446744073709551616n, `$.process.rlimits[1].hard: ${NOT_UINT64}`],
  ['$.process.rlimits[1].hard', 2 ** 64, `$.process.rlimits[1].hard: ${NOT_UINT64}`],
  ['$.process.rlimits[1].hard', -1, `$.process.rlimits[1].hard: ${NOT_UINT64}`],
  ['$.process.noNewPrivileges', 1, '$.process.noNewPrivileges: must be true or false'],
  ['$.process.apparmorProfile', ''],
  ['$.process.oomScoreAdj', -1000],
  ['$.process.oomScoreAdj', 1001, '$.process.oomScoreAdj: must be an integer from -1000 to 1000'],
  ['$.process.scheduler', FIFO],
  ['$.process.scheduler', { ...FIFO, policy: 'SCHED_RR' }],
  ['$.process.scheduler', { policy: 'SCHED_BATCH', nice: 19 }],
  ['$.process.scheduler', {}, expect.stringContaining('$.process.scheduler.policy: is required')],
  [
    '$.process.scheduler',
    { policy: 'SCHED_OTHER', nice: 20 },
    '$.process.scheduler.nice: must be an integer from -20 to 19',
  ],
  [
    '$.process.scheduler',
    { policy: 'SCHED_OTHER', priority: 1 },
    `$.process.scheduler.priority: ${PRIORITY}`,
  ],
  [
    '$.process.scheduler',
    { policy: 'SCHED_FIFO' },
    '$.process.scheduler.priority: must be from 1 to 99 for SCHED_FIFO',
  ],
  [
    '$.process.scheduler',
    { ...FIFO, priority: 100 },
    '$.process.scheduler.priority: must be an integer from 0 to 99',
  ],
  ['$.process.scheduler', { ...FIFO, runtime: 1 }, `$.process.scheduler: ${DEADLINE}`],
  ['$.process.scheduler', { policy: 'SCHED_OTHER', period: 1n }, `$.process.scheduler: ${DEADLINE}`],
  ['$.process.scheduler.deadline', 1, '$.process.scheduler: must have runtime <= deadline <= period'],
  ['$.process.scheduler.period', 1, '$.process.scheduler: must have runtime <= deadline <= period'],
  [
    '$.process.scheduler.flags',
    ['RECLAIM'],
    expect.stringContaining('$.process.scheduler.flags[0]: must be one of'),
  ],
  [
    '$.process.ioPriority.class',
    'RT',
    '$.process.ioPriority.class: must be one of "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE", not "RT"',
  ],
  ['$.process.ioPriority.priority', 8, '$.process.ioPriority.priority: must be an integer from 0 to 7'],
  ['$.process.ioPriority.priority', undefined, '$.process.ioPriority.priority: is required'],
  ['$.process.execCPUAffinity.initial', ''],
  ['$.process.execCPUAffinity.initial', '0-1023,4096'],
  [
    '$.process.execCPUAffinity.initial',
    '0-',
    '$.process.execCPUAffinity.initial: must be a list of numbers and ranges such as "0-3,7"',
  ],
  [
    '$.process.execCPUAffinity.final',
    'all',
    '$.process.execCPUAffinity.final: must be a list of numbers and ranges such as "0-3,7"',
  ],
];

describe('process', () => {
  for (const [index, row] of ROWS.entries()) {
    it(`${index}: ${rowName(row)}`, () => {
      const [path, value, ...expected] = row;
      expect(complaintsAfter(path, value)).toEqual(expected);
    });
  }
});
