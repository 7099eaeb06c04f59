import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IdMapping } from '../../../../spec/config/linux.ts';
import { isMapped } from '../../../../spec/validate/id-mappings.ts';
import { complaintsAfter, type Row, rowName } from '../../../support/complaints.ts';

const map = (containerID: number, hostID: number, size: number): IdMapping => ({ containerID, hostID, size });

/** A line for each id, so that none overlaps. */
const lines = (count: number): readonly IdMapping[] =>
  Array.from({ length: count }, (_, id) => map(id, 1000 + id, 1));

const UID = '$.linux.uidMappings';
const OVERLAP = 'must not overlap another mapping';
const PAST = 'must not lead past id 4294967294';

const ROWS: readonly Row[] = [
  [UID, [map(0, 0, 4294967295)]],
  [UID, [map(0, 100_000, 65_536)]],
  [UID, [map(10, 1010, 5), map(0, 1000, 10), map(15, 0, 1)]],
  [UID, lines(340)],
  [UID, lines(341), `${UID}: must not have more than 340 entries`],
  [UID, [map(0, 0, 0)], `${UID}[0].size: must be an integer from 1 to 4294967295`],
  [UID, [map(0, 0, -1)], `${UID}[0].size: must be an integer from 1 to 4294967295`],
  [UID, [map(0, 0, 4294967296)], `${UID}[0].size: must be an integer from 1 to 4294967295`],
  [UID, [map(0, 1, 4294967295)], `${UID}[0].size: ${PAST}`],
  [UID, [map(0, 1000, 10), map(4294967294, 0, 2)], `${UID}[1].size: ${PAST}`],
  [UID, [map(0, 4294967295, 1)], `${UID}[0].hostID: must be an integer from 0 to 4294967294`],
  [UID, [{ containerID: 0, hostID: 0 }], `${UID}[0].size: is required`],
  [UID, [map(0, 1000, 10), map(9, 2000, 10)], `${UID}[1].containerID: ${OVERLAP}`],
  [UID, [map(0, 1000, 10), map(10, 1009, 10)], `${UID}[1].hostID: ${OVERLAP}`],
  [
    UID,
    [map(0, 1000, 10), map(0, 1000, 10)],
    `${UID}[1].containerID: ${OVERLAP}`,
    `${UID}[1].hostID: ${OVERLAP}`,
  ],
  [
    UID,
    [map(0, 1000, 100), map(5, 2000, 1), map(50, 3000, 1)],
    `${UID}[1].containerID: ${OVERLAP}`,
    `${UID}[2].containerID: ${OVERLAP}`,
  ],
  [
    '$.mounts[2].gidMappings',
    [map(0, 1000, 10), map(9, 2000, 10)],
    `$.mounts[2].gidMappings[1].containerID: ${OVERLAP}`,
  ],
];

describe('id mappings', () => {
  for (const [index, row] of ROWS.entries()) {
    it(`${index}: ${rowName(row)}`, () => {
      const [path, value, ...expected] = row;
      expect(complaintsAfter(path, value)).toEqual(expected);
    });
  }

  it('overlap exactly when two lines share an id', () => {
    const line = fc
      .tuple(fc.nat(30), fc.nat(30), fc.integer({ min: 1, max: 6 }))
      .map(([c, h, size]) => map(c, h, size));
    const isShared = (lines: readonly IdMapping[], side: 'containerID' | 'hostID'): boolean => {
      const ids = lines.flatMap((entry) =>
        Array.from({ length: entry.size }, (_, index) => entry[side] + index),
      );
      return new Set(ids).size < ids.length;
    };
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), (entries) => {
        const overlaps = complaintsAfter(UID, entries).filter((complaint) => complaint.endsWith(OVERLAP));
        expect(overlaps.length > 0).toBe(isShared(entries, 'containerID') || isShared(entries, 'hostID'));
      }),
    );
  });
});

describe('isMapped()', () => {
  it('knows the first and the last id of a range, and their neighbours', () => {
    const entries = [map(5, 1000, 10), map(100, 0, 1)];
    expect([4, 5, 14, 15, 99, 100, 101].map((id) => isMapped(entries, id))).toEqual([
      false,
      true,
      true,
      false,
      false,
      true,
      false,
    ]);
  });
});
