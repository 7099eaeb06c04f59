import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JSON_DEPTH_MAX, JSON_MEMBERS_MAX, readJson } from '../../../spec/json.ts';
import { formatSpecError, Report } from '../../../spec/spec-error.ts';

const BYTES_MAX = 4 * 1024 * 1024;

function read(
  input: string | Uint8Array,
  bytesMax = BYTES_MAX,
): { value: unknown; errors: readonly string[] } {
  const report = new Report();
  const value = readJson(input, bytesMax, report);
  return { value, errors: report.errors.map(formatSpecError) };
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

function withMembers(count: number): string {
  return `{${Array.from({ length: count }, (_, index) => `"${index}":0`).join(',')}}`;
}

// biome-ignore format: a table
const READ: readonly (readonly [text: string, value: unknown])[] = [
  ['{}',                                  {}],
  ['{"a":[1,-2,0],"b":"\\"x\\\\"}',       { a: [1, -2, 0], b: '"x\\' }],
  ['{"a":{"b":1},"c":{"b":1}}',           { a: { b: 1 }, c: { b: 1 } }],
  ['[{"a":1},{"a":1}]',                   [{ a: 1 }, { a: 1 }]],
  ['{"a":"{\\"a\\":1,\\"a\\":2}"}',       { a: '{"a":1,"a":2}' }],
  ['{"a\\\\":1,"a":2}',                   { 'a\\': 1, a: 2 }],
  ['{"a":"b","b":"a"}',                   { a: 'b', b: 'a' }],
  ['{"a":null,"b":[null,{"c":null}]}',    { b: [null, {}] }],
  ['{"a":"x: null"}',                     { a: 'x: null' }],
  ['null',                                null],
  ['{"a":9007199254740991}',              { a: 9007199254740991 }],
  ['{"a":9007199254740993}',              { a: 9007199254740993n }],
  ['{"a":18446744073709551615}',          { a: 18446744073709551615n }],
  ['{"a":-9223372036854775808}',          { a: -9223372036854775808n }],
  ['{"a":0.5}',                           { a: 0.5 }],
  ['{"a":"18446744073709551615"}',        { a: '18446744073709551615' }],
  ['{"a":1e3}',                           { a: Number.NaN }],
  ['{"a":1.0}',                           { a: Number.NaN }],
  ['{"a":-0}',                            { a: Number.NaN }],
  [`{"a":${'9'.repeat(21)}}`,             { a: Number.NaN }],
  ['[1e400]',                             [Number.POSITIVE_INFINITY]],
];

// biome-ignore format: a table
const REFUSED: readonly (readonly [text: string, ...errors: string[]])[] = [
  ['{"a":1,"a":1}',                       '$.a: is given twice'],
  ['{"a":1,"\\u0061":2}',                 '$.a: is given twice'],
  ['{"a":[0,{"b c":1,"d":[{}],"b c":2}]}', '$.a[1]["b c"]: is given twice'],
  ['{"a":1,"a":2,"b":{"a":1,"a":{}}}',    '$.a: is given twice', '$.b.a: is given twice'],
  [nested(JSON_DEPTH_MAX + 1),            '$: nests deeper than 64 levels'],
  [nested(20_000),                        '$: nests deeper than 64 levels'],
  ['[{"a":'.repeat(20_000),               '$: nests deeper than 64 levels'],
  [withMembers(JSON_MEMBERS_MAX + 1),     '$: has more than 65536 members'],
];

const NOT_JSON = [
  '',
  ' ',
  '{',
  '{"a"',
  '{"a":}',
  '{"a":1,}',
  '{a:1}',
  "{'a':1}",
  '{"a":1}}',
  '[1,]',
  '"\u0001"',
  '\uFEFF{}',
  '01',
  '+1',
  'NaN',
  '"',
  '\\',
  '"\\',
  '{"\\u00zz":1}',
  '}',
  ']]',
  ',',
  '{]',
  '{"a" "a"}',
  'undefined',
  '{}{}',
  '{"a":1 /* */}',
];

describe('readJson()', () => {
  for (const [text, value] of READ) {
    it(`reads ${text.slice(0, 60)}`, () => {
      expect(read(text)).toEqual({ value, errors: [] });
    });
  }

  for (const [text, ...errors] of REFUSED) {
    it(`refuses ${text.slice(0, 60)}`, () => {
      expect(read(text).errors).toEqual(errors);
    });
  }

  for (const text of NOT_JSON) {
    it(`finds no JSON in ${JSON.stringify(text)}`, () => {
      const { value, errors } = read(text);
      expect(value).toBeUndefined();
      expect(errors).toEqual([expect.stringMatching(/^\$: is not valid JSON: [^\p{Cc}]+$/u)]);
    });
  }

  it('takes the deepest nesting and the largest object that it allows', () => {
    expect(read(nested(JSON_DEPTH_MAX)).errors).toEqual([]);
    expect(read(withMembers(JSON_MEMBERS_MAX)).errors).toEqual([]);
  });

  it('counts bytes, not characters', () => {
    expect(read('"ééé"', 8).errors).toEqual([]);
    expect(read('"ééé"', 7).errors).toEqual(['$: is longer than 7 bytes']);
    expect(read(new TextEncoder().encode('"ééé"'), 7).errors).toEqual(['$: is longer than 7 bytes']);
  });

  it('refuses bytes that are not UTF-8, and takes those that are', () => {
    expect(read(Uint8Array.of(0x22, 0xc3, 0xa9, 0x22))).toEqual({ value: 'é', errors: [] });
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0x80, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xc3],
    ]) {
      expect(read(Uint8Array.from(bytes)).errors).toEqual(['$: is not valid UTF-8']);
    }
  });

  it('agrees with JSON.parse on every value without null', () => {
    const json = fc.jsonValue({ maxDepth: 6 }).filter((value) => {
      const text = JSON.stringify(value);
      return !/null|-0|[.eE]|\d{16}/.test(text);
    });
    fc.assert(
      fc.property(json, fc.boolean(), (value, pretty) => {
        const text = JSON.stringify(value, null, pretty ? '\t' : undefined);
        expect(read(text)).toEqual({ value: JSON.parse(text), errors: [] });
      }),
    );
  });

  it('finds a member that is given twice wherever it is', () => {
    const key = fc.string({ maxLength: 5, unit: 'binary' });
    fc.assert(
      fc.property(
        fc.array(key, { maxLength: 5 }),
        key,
        fc.jsonValue({ maxDepth: 2 }),
        (path, twice, value) => {
          const member = `${JSON.stringify(twice)}:${JSON.stringify(value)}`;
          const text = path.reduceRight(
            (inner, name) => `{${JSON.stringify(name)}: [${inner}]}`,
            `{${member} ,${member}}`,
          );
          expect(read(text).errors).toEqual([expect.stringMatching(/: is given twice$/)]);
          expect(read(text.replace(` ,${member}`, '')).errors).toEqual([]);
        },
      ),
    );
  });

  it('takes time in proportion to the length, whatever the text', () => {
    const hostile = ['"\\', '\\"', '{"', '[{', '":', '",', '{"a":', '[1', ' 1', ',-', '9'].map((piece) =>
      piece.repeat(Math.floor(BYTES_MAX / piece.length)),
    );
    for (const text of hostile) {
      const start = performance.now();
      read(text);
      expect(performance.now() - start, text.slice(0, 20)).toBeLessThan(2000);
    }
  });
});
