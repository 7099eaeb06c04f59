import { describe, expect, it } from 'vitest';
import { complaintsAfter, type Row, rowName } from '../../../support/complaints.ts';

const ABSOLUTE = 'must be an absolute path';
const INTERFACE = 'must be the name of a network interface';
const LIST = 'must be a list of numbers and ranges such as "0-3,7"';
const CLOS = '$.linux.intelRdt.closID: must be "/" or the name of a directory';

const ROWS: readonly Row[] = [
  ['$.linux.namespaces[0].path', undefined],
  ['$.linux.namespaces[0].path', '', `$.linux.namespaces[0].path: ${ABSOLUTE}`],
  ['$.linux.namespaces[0].path', 'proc/1/ns/pid', `$.linux.namespaces[0].path: ${ABSOLUTE}`],
  ['$.linux.namespaces[6].type', 'network', '$.linux.namespaces[6].type: must not repeat "network"'],
  [
    '$.linux.namespaces[6].type',
    'net',
    expect.stringContaining('$.linux.namespaces[6].type: must be one of "pid", "network"'),
  ],
  ['$.linux.namespaces[6].type', undefined, '$.linux.namespaces[6].type: is required'],
  [
    '$.linux.namespaces[6].type',
    'constructor',
    expect.stringContaining('$.linux.namespaces[6].type: must be one of'),
  ],
  ['$.linux.timeOffsets.monotonic.secs', -9223372036854775808n],
  [
    '$.linux.timeOffsets.monotonic.secs',
    9223372036854775808n,
    '$.linux.timeOffsets.monotonic.secs: must be an integer from -9223372036854775808 to 9223372036854775807',
  ],
  [
    '$.linux.timeOffsets.monotonic.nanosecs',
    1_000_000_000,
    '$.linux.timeOffsets.monotonic.nanosecs: must be an integer from 0 to 999999999',
  ],
  ['$.linux.timeOffsets.realtime', {}, '$.linux.timeOffsets.realtime: must be "monotonic" or "boottime"'],
  ['$.linux.devices[0].type', 'u'],
  ['$.linux.devices[0].type', 'a', '$.linux.devices[0].type: must be one of "c", "b", "u", "p", not "a"'],
  ['$.linux.devices[0].path', 'dev/fuse', `$.linux.devices[0].path: ${ABSOLUTE}`],
  ['$.linux.devices[0].major', undefined, '$.linux.devices[0].major: is required'],
  ['$.linux.devices[0].minor', undefined, '$.linux.devices[0].minor: is required'],
  ['$.linux.devices[0].major', 4096, '$.linux.devices[0].major: must be an integer from 0 to 4095'],
  ['$.linux.devices[0].minor', 1_048_576, '$.linux.devices[0].minor: must be an integer from 0 to 1048575'],
  ['$.linux.devices[0].minor', -1, '$.linux.devices[0].minor: must be an integer from 0 to 1048575'],
  [
    '$.linux.devices[0].fileMode',
    0o200000,
    '$.linux.devices[0].fileMode: must be an integer from 0 to 65535',
  ],
  ['$.linux.devices[0].uid', 4294967295, '$.linux.devices[0].uid: must be an integer from 0 to 4294967294'],
  ['$.linux.devices[1]', { type: 'c', path: '/dev/fuse', major: 10, minor: 229 }],
  [
    '$.linux.devices[1]',
    { type: 'c', path: '/dev/fuse', major: 10, minor: 230 },
    '$.linux.devices[1].path: must not name "/dev/fuse" for another device',
  ],
  ['$.linux.netDevices', { lo: {}, 'wlan0.5@x': { name: 'a'.repeat(15) } }],
  ['$.linux.netDevices', { 'a b': {} }, `$.linux.netDevices["a b"]: ${INTERFACE}`],
  ['$.linux.netDevices', { '': {} }, `$.linux.netDevices[""]: ${INTERFACE}`],
  ['$.linux.netDevices', { '..': {} }, `$.linux.netDevices[".."]: ${INTERFACE}`],
  ['$.linux.netDevices', { eth0: { name: '../x' } }, `$.linux.netDevices.eth0.name: ${INTERFACE}`],
  ['$.linux.netDevices', { eth0: { name: '' } }, '$.linux.netDevices.eth0.name: must not be empty'],
  [
    '$.linux.netDevices',
    { eth0: { name: 'a'.repeat(16) } },
    '$.linux.netDevices.eth0.name: must not be longer than 15 bytes',
  ],
  ['$.linux.netDevices', { eth0: { name: 'x' }, x: {} }, '$.linux.netDevices.x: must not repeat "x"'],
  ['$.linux.netDevices', { eth0: { name: 'x%d' }, eth1: { name: 'x%d' } }],
  ['$.linux.cgroupsPath', 'relative/path'],
  ['$.linux.cgroupsPath', 'user.slice:hull:id'],
  ['$.linux.cgroupsPath', '/a..b/...'],
  ['$.linux.cgroupsPath', '', '$.linux.cgroupsPath: must not be empty'],
  ['$.linux.cgroupsPath', '/a/../b', '$.linux.cgroupsPath: must not contain ".."'],
  ['$.linux.cgroupsPath', '..', '$.linux.cgroupsPath: must not contain ".."'],
  ['$.linux.cgroupsPath', 'a:..:b', '$.linux.cgroupsPath: must not contain ".."'],
  ['$.linux.cgroupsPath', '/a\nb', '$.linux.cgroupsPath: must not contain control characters'],
  [
    '$.linux.cgroupsPath',
    '/a\0b',
    '$.linux.cgroupsPath: must not contain a NUL byte',
    '$.linux.cgroupsPath: must not contain control characters',
  ],
  ['$.linux.cgroupsPath', `/${'a'.repeat(4095)}`, '$.linux.cgroupsPath: must not be longer than 4095 bytes'],
  ['$.linux.rootfsPropagation', 'rslave'],
  [
    '$.linux.rootfsPropagation',
    'slaves',
    expect.stringContaining('$.linux.rootfsPropagation: must be one of "shared", "slave"'),
  ],
  ['$.linux.maskedPaths', ['proc/kcore'], `$.linux.maskedPaths[0]: ${ABSOLUTE}`],
  ['$.linux.readonlyPaths', ['/proc/sys', ''], `$.linux.readonlyPaths[1]: ${ABSOLUTE}`],
  ['$.linux.mountLabel', 5, '$.linux.mountLabel: must be a string'],
  ['$.linux.intelRdt', {}],
  ['$.linux.intelRdt.closID', '/'],
  ['$.linux.intelRdt.closID', '..', CLOS],
  ['$.linux.intelRdt.closID', '.', CLOS],
  ['$.linux.intelRdt.closID', 'a/b', CLOS],
  ['$.linux.intelRdt.closID', 'a\nb', CLOS],
  ['$.linux.intelRdt.closID', '', '$.linux.intelRdt.closID: must not be empty'],
  [
    '$.linux.intelRdt.memBwSchema',
    'L3:0=f',
    '$.linux.intelRdt.memBwSchema: must start with "MB:" and not contain newlines',
  ],
  [
    '$.linux.intelRdt.memBwSchema',
    'MB:0=1\nL3:0=f',
    '$.linux.intelRdt.memBwSchema: must start with "MB:" and not contain newlines',
  ],
  [
    '$.linux.intelRdt.schemata',
    ['L3:0=f\nMB:0=1'],
    '$.linux.intelRdt.schemata[0]: must not contain newlines',
  ],
  ['$.linux.memoryPolicy', { mode: 'MPOL_DEFAULT' }],
  ['$.linux.memoryPolicy', { mode: 'MPOL_PREFERRED' }],
  ['$.linux.memoryPolicy.mode', 'MPOL_LOCAL', '$.linux.memoryPolicy.nodes: must be empty for MPOL_LOCAL'],
  ['$.linux.memoryPolicy.nodes', '', '$.linux.memoryPolicy.nodes: must not be empty for MPOL_INTERLEAVE'],
  ['$.linux.memoryPolicy.nodes', '2-3 ', `$.linux.memoryPolicy.nodes: ${LIST}`],
  [
    '$.linux.memoryPolicy.flags',
    ['MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES'],
    '$.linux.memoryPolicy.flags: must not have both MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES',
  ],
  [
    '$.linux.personality.domain',
    'linux',
    '$.linux.personality.domain: must be one of "LINUX", "LINUX32", not "linux"',
  ],
  [
    '$.linux.personality.flags',
    ['ADDR_NO_RANDOMIZE'],
    '$.linux.personality.flags: must be empty: the standard defines no flag',
  ],
];

describe('linux', () => {
  for (const [index, row] of ROWS.entries()) {
    it(`${index}: ${rowName(row)}`, () => {
      const [path, value, ...expected] = row;
      expect(complaintsAfter(path, value)).toEqual(expected);
    });
  }
});
