import { describe, expect, it } from 'vitest';
import { complaintsAfter, type Row, rowName } from '../../../support/complaints.ts';

const ROWS: readonly Row[] = [
  ['$.mounts', undefined],
  ['$.mounts', []],
  ['$.mounts', {}, '$.mounts: must be an array'],
  ['$.mounts[0].destination', 'relative/../x'],
  ['$.mounts[0].destination', undefined, '$.mounts[0].destination: is required'],
  ['$.mounts[0].destination', '', '$.mounts[0].destination: must not be empty'],
  ['$.mounts[0].destination', '/proc\0/x', '$.mounts[0].destination: must not contain a NUL byte'],
  [
    '$.mounts[0].destination',
    `/${'a'.repeat(4095)}`,
    '$.mounts[0].destination: must not be longer than 4095 bytes',
  ],
  ['$.mounts[0].source', ''],
  ['$.mounts[0].source', 'a'.repeat(70_000), '$.mounts[0].source: must not be longer than 4095 bytes'],
  ['$.mounts[0].source', 'x\0y', '$.mounts[0].source: must not contain a NUL byte'],
  ['$.mounts[0].type', 'a'.repeat(256), '$.mounts[0].type: must not be longer than 255 bytes'],
  ['$.mounts[0].options', ['x-unknown', '', 'a=b']],
  ['$.mounts[0].options', 'ro', '$.mounts[0].options: must be an array'],
  ['$.mounts[0].options', ['a'.repeat(4096)], '$.mounts[0].options[0]: must not be longer than 4095 bytes'],
  ['$.mounts[2].uidMappings', undefined, '$.mounts[2].gidMappings: must come with uidMappings'],
  ['$.mounts[2].gidMappings', undefined, '$.mounts[2].uidMappings: must come with gidMappings'],
];

describe('mounts', () => {
  for (const [index, row] of ROWS.entries()) {
    it(`${index}: ${rowName(row)}`, () => {
      const [path, value, ...expected] = row;
      expect(complaintsAfter(path, value)).toEqual(expected);
    });
  }
});
