import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calculate, holds } from '../../../../sys/plan/arithmetic.ts';
import { toWord, type Word, words } from '../../../../sys/plan/words.ts';
import { ARITHMETIC, CONDITION } from '../../../../sys/stage/layout.ts';

const LIMIT = 1n << 53n;
const EDGES: readonly bigint[] = [0n, 1n << 31n, 1n << 32n, LIMIT, 1n << 63n, 1n << 64n].flatMap((edge) =>
  [-2n, -1n, 0n, 1n, 2n].flatMap((by) => [
    edge + by,
    -edge + by,
    edge - (1n << 32n) + by,
    -edge + (1n << 32n) + by,
  ]),
);
/** The low 64 bits of it are what counts. */
const anyBits = fc.oneof(
  fc.constantFrom(...EDGES),
  fc.bigInt(-(1n << 63n), (1n << 64n) - 1n),
  fc.bigInt(-300n, 300n),
);

describe('toWord()', () => {
  it('has one form for each of 2^64 values: a number where that is exact, and signed', () => {
    fc.assert(
      fc.property(anyBits, (bits) => {
        const word = toWord(bits);
        expect(BigInt(word)).toBe(BigInt.asIntN(64, bits));
        expect(toWord(bits + (1n << 64n))).toBe(word);
        if (typeof word === 'number') expect(Number.isSafeInteger(word)).toBe(true);
      }),
    );
    expect(toWord(LIMIT - 1n)).toBe(Number.MAX_SAFE_INTEGER);
    expect(toWord(LIMIT)).toBe(LIMIT);
  });
});

describe('words()', () => {
  it('read back in the one form what was written in any', () => {
    const { set, get, u8 } = words(new ArrayBuffer(32), 8, 24);
    fc.assert(
      fc.property(anyBits, (bits) => {
        fc.pre(bits >= -(1n << 63n) && bits < 1n << 64n);
        set(8, bits);
        expect(get(8)).toBe(toWord(bits));
        expect([...u8.subarray(0, 8), ...u8.subarray(16)]).toEqual(Array(16).fill(0));
        if (Number.isSafeInteger(Number(bits))) {
          set(8, 0x1234_5678_9abc);
          set(8, Number(bits));
          expect(get(8)).toBe(toWord(bits));
        }
      }),
    );
  });

  it('refuse what 64 bits do not hold', () => {
    const { set } = words(new ArrayBuffer(8), 0, 8);
    for (const wrong of [1n << 64n, -(1n << 63n) - 1n, 2 ** 53, -(2 ** 53), 0.5, -0.5, Number.NaN]) {
      expect(() => set(0, wrong), String(wrong)).toThrow('not a 64-bit integer');
    }
  });
});

const CALCULATED = {
  move: (left: bigint) => left,
  add: (left: bigint, right: bigint) => left + right,
  subtract: (left: bigint, right: bigint) => left - right,
  and: (left: bigint, right: bigint) => left & right,
  or: (left: bigint, right: bigint) => left | right,
};
const u64 = (bits: bigint): bigint => BigInt.asUintN(64, bits);
const i64 = (bits: bigint): bigint => BigInt.asIntN(64, bits);
const HOLDING = {
  equal: (left: bigint, right: bigint) => u64(left) === u64(right),
  notEqual: (left: bigint, right: bigint) => u64(left) !== u64(right),
  below: (left: bigint, right: bigint) => u64(left) < u64(right),
  less: (left: bigint, right: bigint) => i64(left) < i64(right),
};

describe('calculate() and holds()', () => {
  const compare = (check: (left: bigint, right: bigint, l: Word, r: Word) => void): void =>
    fc.assert(
      fc.property(anyBits, anyBits, (left, right) => {
        check(left, right, toWord(left), toWord(right));
        check(left, left, toWord(left), toWord(left));
      }),
      { numRuns: 500 },
    );

  for (const op of Object.keys(CALCULATED) as (keyof typeof CALCULATED)[]) {
    it(`do "${op}" modulo 2^64`, () =>
      compare((left, right, l, r) => {
        expect(calculate(ARITHMETIC[op], l, r)).toBe(toWord(CALCULATED[op](left, right)));
      }));
  }
  for (const condition of Object.keys(HOLDING) as (keyof typeof HOLDING)[]) {
    it(`compare "${condition}"`, () =>
      compare((left, right, l, r) => {
        expect(holds(CONDITION[condition], l, r)).toBe(HOLDING[condition](left, right));
      }));
  }
});
