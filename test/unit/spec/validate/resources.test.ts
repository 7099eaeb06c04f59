import { describe, expect, it } from 'vitest';
import { complaintsAfter, type Row, rowName } from '../../../support/complaints.ts';

const AT = '$.linux.resources';
const LIMIT = 'must be an integer from -1 to 9223372036854775807';
const FILE = 'must be the name of a file in a cgroup';
const PAGE_SIZE = `${AT}.hugepageLimits[0].pageSize: must be a page size such as "2MB"`;

const ROWS: readonly Row[] = [
  [AT, {}],
  [AT, [], `${AT}: must be an object`],
  [`${AT}.devices[0].allow`, undefined, `${AT}.devices[0].allow: is required`],
  [`${AT}.devices[0].access`, undefined, `${AT}.devices[0].access: device access field cannot be empty`],
  [`${AT}.devices[0].access`, '', `${AT}.devices[0].access: device access field cannot be empty`],
  [`${AT}.devices[0].access`, 'rx', `${AT}.devices[0].access: must be of the letters r, w and m`],
  [`${AT}.devices[0].type`, 'a'],
  [`${AT}.devices[0].type`, 'u', `${AT}.devices[0].type: must be one of "a", "b", "c", not "u"`],
  [`${AT}.devices[0].major`, -2, `${AT}.devices[0].major: must be an integer from -1 to 1048575`],
  [`${AT}.memory.limit`, -1],
  [`${AT}.memory.limit`, -2, `${AT}.memory.limit: ${LIMIT}`],
  [`${AT}.memory.limit`, 9223372036854775808n, `${AT}.memory.limit: ${LIMIT}`],
  [`${AT}.memory.limit`, 2 ** 53, `${AT}.memory.limit: ${LIMIT}`],
  [`${AT}.memory.limit`, 1.5, `${AT}.memory.limit: ${LIMIT}`],
  [`${AT}.memory.limit`, '1G', `${AT}.memory.limit: ${LIMIT}`],
  [`${AT}.memory.swappiness`, 101, `${AT}.memory.swappiness: must be an integer from 0 to 100`],
  [`${AT}.cpu.quota`, -1],
  [`${AT}.cpu.shares`, -1, `${AT}.cpu.shares: must be an integer from 0 to 18446744073709551615`],
  [`${AT}.cpu.cpus`, '0-3\n', `${AT}.cpu.cpus: must be a list of numbers and ranges such as "0-3,7"`],
  [`${AT}.cpu.idle`, 2, `${AT}.cpu.idle: must be an integer from 0 to 1`],
  [`${AT}.pids`, {}],
  [`${AT}.pids.limit`, 0],
  [`${AT}.pids.limit`, -1],
  [`${AT}.blockIO.weight`, 65_536, `${AT}.blockIO.weight: must be an integer from 0 to 65535`],
  [
    `${AT}.blockIO.weightDevice[0]`,
    { major: 8, minor: 0 },
    `${AT}.blockIO.weightDevice[0]: must have a weight or a leafWeight`,
  ],
  [
    `${AT}.blockIO.throttleReadBpsDevice[0].rate`,
    undefined,
    `${AT}.blockIO.throttleReadBpsDevice[0].rate: is required`,
  ],
  [`${AT}.hugepageLimits[0].pageSize`, '64KB'],
  [`${AT}.hugepageLimits[0].pageSize`, '../../2MB', PAGE_SIZE],
  [`${AT}.hugepageLimits[0].pageSize`, '0MB', PAGE_SIZE],
  [`${AT}.hugepageLimits[0].pageSize`, '2M', PAGE_SIZE],
  [
    `${AT}.network.priorities[0].name`,
    'a/b',
    `${AT}.network.priorities[0].name: must be the name of a network interface`,
  ],
  [`${AT}.rdma`, { mlx5_1: {} }, `${AT}.rdma.mlx5_1: must have hcaHandles or hcaObjects`],
  [
    `${AT}.rdma`,
    { 'a hca_object=max\nb': { hcaObjects: 1 } },
    `${AT}.rdma["a hca_object=max\\nb"]: must be the name of an RDMA device`,
  ],
  [`${AT}.unified`, { 'memory.high': 'max' }],
  [`${AT}.unified`, { '../memory.max': 'max' }, `${AT}.unified["../memory.max"]: ${FILE}`],
  [`${AT}.unified`, { 'a/memory.max': 'max' }, `${AT}.unified["a/memory.max"]: ${FILE}`],
  [`${AT}.unified`, { '': 'max' }, `${AT}.unified[""]: ${FILE}`],
  [`${AT}.unified`, { '..': 'max' }, `${AT}.unified[".."]: ${FILE}`],
  [`${AT}.unified`, { 'memory.max': 5 }, `${AT}.unified["memory.max"]: must be a string`],
  [
    `${AT}.unified`,
    JSON.parse('{"__proto__":"x"}'),
    `${AT}.unified.__proto__: must not be named "__proto__"`,
  ],
];

describe('linux.resources', () => {
  for (const [index, row] of ROWS.entries()) {
    it(`${index}: ${rowName(row)}`, () => {
      const [path, value, ...expected] = row;
      expect(complaintsAfter(path, value)).toEqual(expected);
    });
  }
});
