import { describe, expect, it } from 'vitest';
import { rootlessXattr } from '../../../../image/unpack/rootless.ts';

describe('rootlessXattr()', () => {
  // As umoci --rootless and protoc write them.
  // biome-ignore format: a table
  const CASES: [uid: number, gid: number, hex: string][] = [
    [7,          8,          '0807' + '1008'],
    [1000,       100,        '08e807' + '1064'],
    [0,          99,         '08ffffffff0f' + '1063'],
    [5,          0,          '0805' + '10ffffffff0f'],
    [4294967294, 2147483648, '08feffffff0f' + '108080808008'],
  ];
  for (const [uid, gid, hex] of CASES) {
    it(`writes ${uid}:${gid}`, () => expect(rootlessXattr(uid, gid).toString('hex')).toBe(hex));
  }
});
