import { describe, expect, it } from 'vitest';
import {
  absolutePath,
  also,
  boolean,
  type Check,
  distinct,
  int32,
  integer,
  list,
  object,
  oneOf,
  path,
  record,
  required,
  text,
  uint16,
  uint32,
  uint64,
  wideInteger,
} from '../../../spec/schema.ts';
import { formatSpecError, Report } from '../../../spec/spec-error.ts';

function complaints<T>(check: Check<T>, value: unknown): readonly string[] {
  const report = new Report();
  check(value, '$', report);
  return report.errors.map(formatSpecError);
}

interface Pair {
  readonly name: string;
  readonly count?: number;
}

const pair = object<Pair>({ name: required(text()), count: uint16 });

// biome-ignore format: a table
const CASES: readonly (readonly [name: string, check: Check<unknown>, accepted: readonly unknown[], refused: readonly unknown[], rule: string])[] = [
  ['text()',           text(),                        ['', 'a', 'é'],          [0, null, undefined, [], {}, true], 'must be a string'],
  ['text(bytesMax)',   text({ bytesMax: 3 }),         ['', 'abc', 'é'],        ['abcd', 'éé', '漢a'],              'must not be longer than 3 bytes'],
  ['text(empty)',      text({ empty: 'is empty' }),   ['a'],                   [''],                               'is empty'],
  ['path()',           path(),                        ['a', '/', '..'],        [''],                               'must not be empty'],
  ['absolutePath()',   absolutePath(),                ['/', '/a', '//'],       ['', 'a', ' /', './'],              'must be an absolute path'],
  ['boolean',          boolean,                       [true, false],           ['true', 0, null, undefined],       'must be true or false'],
  ['integer(-1, 2)',   integer(-1, 2),                [-1, 0, 2],              [-2, 3, 0.5, '1', 1n, null, Number.NaN, Number.POSITIVE_INFINITY], 'must be an integer from -1 to 2'],
  ['uint32',           uint32,                        [0, 4294967295],         [-1, 4294967296],                   'must be an integer from 0 to 4294967295'],
  ['int32',            int32,                         [-2147483648, 2147483647], [-2147483649, 2147483648],        'must be an integer from -2147483648 to 2147483647'],
  ['uint64',           uint64,                        [0, 0n, 2 ** 53 - 1, 2n ** 64n - 1n], [-1, -1n, 2n ** 64n, 2 ** 53, 0.5, '1', Number.NaN], 'must be an integer from 0 to 18446744073709551615'],
  ['wideInteger()',    wideInteger(-1n, 1n),          [-1, -1n, 1],            [2, -2n],                           'must be an integer from -1 to 1'],
  ['oneOf()',          oneOf(['a', 'b']),             ['a', 'b'],              [0, null, ['a']],                   'must be one of "a", "b"'],
  ['oneOf(), a string', oneOf(['a', 'b']),            ['a', 'b'],              ['c'],                              'must be one of "a", "b", not "c"'],
  ['oneOf(), a member of Object', oneOf(['a', 'b']),  ['a', 'b'],              ['toString'],                       'must be one of "a", "b", not "toString"'],
  ['list()',           list(text()),                  [[], ['a']],             [{}, 'a', null, { length: 0 }],     'must be an array'],
  ['list(lengthMax)',  list(text(), { lengthMax: 1 }), [['a']],                [['a', 'b']],                       'must not have more than 1 entries'],
  ['list(empty)',      list(text(), { empty: 'is empty' }), [['a']],           [[]],                               'is empty'],
  ['record()',         record(text()),                [{}, { a: 'b' }],        [[], 'a', null],                    'must be an object'],
  ['object()',         pair,                          [{ name: 'a' }, { name: '', count: 1, other: 0 }], [[], 'a', null, 1], 'must be an object'],
];

describe('a check', () => {
  for (const [name, check, accepted, refused, rule] of CASES) {
    it(`${name}: ${rule}`, () => {
      for (const value of accepted) expect(complaints(check, value)).toEqual([]);
      for (const value of refused) expect(complaints(check, value)).toEqual([`$: ${rule}`]);
    });
  }
});

describe('list()', () => {
  it('checks every entry, also those that an array does not have', () => {
    expect(complaints(list(text()), [1, 'a', 2])).toEqual([
      '$[0]: must be a string',
      '$[2]: must be a string',
    ]);
    expect(complaints(list(text()), new Array(2))).toEqual([
      '$[0]: must be a string',
      '$[1]: must be a string',
    ]);
  });
});

describe('record()', () => {
  it('checks every member and every name', () => {
    const check = record(text(), (key) => (key === '' ? 'has no name' : undefined));
    expect(complaints(check, { '': 'a', 'b.c': 1 })).toEqual([
      '$[""]: has no name',
      '$["b.c"]: must be a string',
    ]);
    expect(complaints(check, JSON.parse('{"__proto__":"a"}'))).toEqual([
      '$.__proto__: must not be named "__proto__"',
    ]);
  });
});

describe('object()', () => {
  it('reports what is missing and what is wrong, and leaves unknown properties alone', () => {
    expect(complaints(pair, { count: -1, other: {} })).toEqual([
      '$.name: is required',
      '$.count: must be an integer from 0 to 65535',
    ]);
    const worded = object<Pair>({ name: required(text(), 'name must be given'), count: uint16 });
    expect(complaints(worded, {})).toEqual(['$.name: name must be given']);
  });

  it('names a property with a dot in it as the path grammar wants', () => {
    const check = object<{ readonly 'os.version'?: string }>({ 'os.version': text() });
    expect(complaints(check, { 'os.version': 1 })).toEqual(['$["os.version"]: must be a string']);
  });
});

describe('also()', () => {
  const isEven = also(integer(0, 10), (value, at, report) => {
    if (value % 2 === 1) report.add(at, 'must be even');
  });

  it('runs its rule on values that pass the check, and on no others', () => {
    expect(complaints(isEven, 4)).toEqual([]);
    expect(complaints(isEven, 5)).toEqual(['$: must be even']);
    expect(complaints(isEven, 11)).toEqual(['$: must be an integer from 0 to 10']);
  });

  it('is not confused by what is wrong elsewhere', () => {
    expect(complaints(list(isEven), [11, 5])).toEqual([
      '$[0]: must be an integer from 0 to 10',
      '$[1]: must be even',
    ]);
  });
});

describe('distinct()', () => {
  it('names every entry that repeats an earlier one', () => {
    const check = also(list(pair), distinct('name'));
    expect(complaints(check, [{ name: 'a' }, { name: 'b' }])).toEqual([]);
    expect(complaints(check, [{ name: 'a' }, { name: 'b' }, { name: 'a' }, { name: 'a' }])).toEqual([
      '$[2].name: must not repeat "a"',
      '$[3].name: must not repeat "a"',
    ]);
  });
});
