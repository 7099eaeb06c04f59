import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNumeric } from '../../../../image/tar/numeric.ts';
import { base256 } from '../../../support/tar-maker.ts';
import { refusalOf } from '../../../support/tar-reading.ts';

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const parse = (field: Buffer): number => parseNumeric(field, 0, field.length, 'size');

// biome-ignore format: a table
const NUMBERS: [what: string, field: Buffer, expected: number][] = [
  ['an empty field',                 Buffer.alloc(12),                      0],
  ['zeros and a NUL',                Buffer.from('0000644\0'),              0o644],
  ['leading blanks',                 Buffer.from('    644 '),               0o644],
  ['leading NULs',                   Buffer.from('\0\x000644 '),            0o644],
  ['no terminator',                  Buffer.from('77777777'),               0o77777777],
  ['blanks and a NUL behind',        Buffer.from('644  \0\0\0'),            0o644],
  ['anything after the NUL',         Buffer.from('644\0junk'),              0o644],
  ['twelve digits',                  Buffer.from('777777777777'),           0o777777777777],
  ['base-256, small',                bytesOf('80 00 00 00 00 00 00 2a'),    42],
  ['base-256, more than 8 GiB',      bytesOf('80 00 00 00 00 00 00 02 00 00 00 01'), 0x200000001],
  ['base-256, -1',                   bytesOf('ff ff ff ff ff ff ff ff'),    -1],
  ['base-256, -2',                   bytesOf('ff ff ff ff ff ff ff fe'),    -2],
  ['base-256, without the sign bit', bytesOf('80 00 00 00 00 00 00 80'),    128],
];

// biome-ignore format: a table
const REFUSED: [what: string, field: Buffer][] = [
  ['a digit that is not octal', Buffer.from('0000648\0')],
  ['letters',                   Buffer.from('0x1ff\0\0\0')],
  ['a sign',                    Buffer.from('-644\0\0\0\0')],
  ['two numbers',               Buffer.from('64 4\0\0\0\0')],
  ['2^53',                      bytesOf('80 00 00 00 20 00 00 00 00 00 00')],
  ['2^64',                      bytesOf('80 00 00 01 00 00 00 00 00 00 00 00')],
];

describe('parseNumeric()', () => {
  for (const [what, field, expected] of NUMBERS) {
    it(`reads ${what}`, () => {
      expect(parse(field)).toBe(expected);
    });
  }

  for (const [what, field] of REFUSED) {
    it(`refuses ${what}`, () => {
      expect(refusalOf(() => parse(field))).toBe('MALFORMED: cannot read tar header: size is not a number');
    });
  }

  it('reads back every number that octal or base-256 can hold', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (number) => {
        expect(parse(base256(BigInt(number), 12))).toBe(number);
        if (number >= 0 && number < 8 ** 11) {
          expect(parse(Buffer.from(`${number.toString(8).padStart(11, '0')}\0`))).toBe(number);
        }
      }),
    );
  });
});
