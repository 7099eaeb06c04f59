import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePaxRecords, paxInteger, paxText, paxTime } from '../../../../image/tar/pax.ts';
import { paxRecord } from '../../../support/tar-maker.ts';
import { refusalOf } from '../../../support/tar-reading.ts';

const record = (value: string) => ({ key: 'key', value: Buffer.from(value, 'latin1') });

// biome-ignore format: a table
const REFUSED: [what: string, body: string][] = [
  ['a length that is too short',    '9 path=abc\n'],
  ['a length past the end',         '99 path=abc\n'],
  ['a length of nothing',           '0 path=abc\n'],
  ['no length',                     ' path=abc\n'],
  ['a negative length',             '-12 path=abc\n'],
  ['a length in hexadecimal',       '0xc path=abc\n'],
  ['a length of many digits',       '00000000000012 path=abc\n'],
  ['no space after the length',     '12path=abcd\n'],
  ['no newline',                    '12 path=abcd'],
  ['no equals sign',                '12 pathabcd\n'],
  ['no key',                        '7 =abc\n'],
  ['a NUL in the key',              '12 pa\0h=abc\n'],
  ['padding inside the body',       '12 path=abc\n\0\0'],
  ['an equals sign of the next',    '7 path\n12 path=abc\n'],
];

describe('parsePaxRecords()', () => {
  it('reads back any keys and values, in order and with duplicates', () => {
    const key = fc.string({ minLength: 1, unit: fc.constantFrom('a', '.', 'é', ' ', '\n') });
    const value = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value)), (records) => {
        const body = Buffer.concat(records.map(([k, v]) => paxRecord(k, v)));
        expect(parsePaxRecords(body)).toEqual(records.map(([k, v]) => ({ key: k, value: v })));
      }),
    );
  });

  it('keeps equals signs, newlines and NULs of a value', () => {
    const value = Buffer.from('=\n\0\xff=', 'latin1');
    expect(parsePaxRecords(paxRecord('SCHILY.xattr.user.x', value))).toEqual([
      { key: 'SCHILY.xattr.user.x', value },
    ]);
  });

  for (const [what, body] of REFUSED) {
    it(`refuses ${what}`, () => {
      expect(refusalOf(() => parsePaxRecords(Buffer.from(body, 'latin1')))).toMatch(
        /^MALFORMED: cannot read pax header/,
      );
    });
  }

  it('either reads random bytes or refuses them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        refusalOf(() => parsePaxRecords(Buffer.from(bytes)));
      }),
    );
  });
});

describe('paxTime()', () => {
  // biome-ignore format: a table
  const TIMES: [text: string, seconds: number, nanoseconds: number][] = [
    ['0',                     0,          0],
    ['1700000000',            1700000000, 0],
    ['1700000000.5',          1700000000, 500000000],
    ['1700000000.123456789',  1700000000, 123456789],
    ['1.1234567899999',       1,          123456789],
    ['1.',                    1,          0],
    ['-1',                    -1,         0],
    ['-0',                    0,          0],
    ['-1.25',                 -2,         750000000],
    ['-0.000000001',          -1,         999999999],
    ['4294967296.000000001',  4294967296, 1],
  ];

  for (const [text, seconds, nanoseconds] of TIMES) {
    it(`reads ${text}`, () => {
      expect(paxTime(record(text))).toEqual({ seconds, nanoseconds });
    });
  }

  for (const text of ['', '.5', '1e9', '+1', '1.2.3', ' 1', '1,5', 'NaN', '9'.repeat(16)]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(refusalOf(() => paxTime(record(text)))).toBe(
        'MALFORMED: cannot read pax header: key is not a time',
      );
    });
  }
});

describe('paxInteger()', () => {
  it('reads what octal fields cannot hold', () => {
    expect(paxInteger(record('4294967294'))).toBe(4294967294);
    expect(paxInteger(record('9007199254740991'))).toBe(Number.MAX_SAFE_INTEGER);
  });

  for (const text of ['', '-1', '+1', '1.0', '0x10', '1e3', ' 1', '9007199254740992', `1${'0'.repeat(40)}`]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(refusalOf(() => paxInteger(record(text)))).toMatch(
        /^MALFORMED: cannot read pax header: key is not a number/,
      );
    });
  }
});

describe('paxText()', () => {
  it('keeps bytes and refuses a NUL', () => {
    expect(paxText(record('caf\xe9\n'))).toBe('caf\xe9\n');
    expect(refusalOf(() => paxText(record('a\0b')))).toBe(
      'MALFORMED: cannot read pax header: key has a NUL in it',
    );
  });
});
