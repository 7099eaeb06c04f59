// What the stage's interpreter does with 64-bit registers, done with words.
import { ARITHMETIC, CONDITION } from '../stage/layout.ts';
import { isExact, toWord, type Word } from './words.ts';

const INT32_MAX = 0x7fff_ffff;
const isSmall = (value: Word): value is number =>
  typeof value === 'number' && value >= 0 && value <= INT32_MAX;

/** Modulo 2^64. `op` is one of {@link ARITHMETIC}. */
export function calculate(op: number, left: Word, right: Word): Word {
  switch (op) {
    case ARITHMETIC.add:
      return sum(left, right) ?? toWord(BigInt(left) + BigInt(right));
    case ARITHMETIC.subtract:
      return difference(left, right) ?? toWord(BigInt(left) - BigInt(right));
    case ARITHMETIC.and:
      return isSmall(left) && isSmall(right) ? left & right : toWord(BigInt(left) & BigInt(right));
    case ARITHMETIC.or:
      return isSmall(left) && isSmall(right) ? left | right : toWord(BigInt(left) | BigInt(right));
    default:
      return left;
  }
}

/** undefined where it takes bigints. A sum that had to be rounded is outside of what is exact. */
function sum(left: Word, right: Word): number | undefined {
  if (typeof left !== 'number' || typeof right !== 'number') return undefined;
  return isExact(left + right) ? left + right : undefined;
}

const difference = (left: Word, right: Word): number | undefined =>
  typeof right === 'number' ? sum(left, -right) : undefined;

/** `condition` is one of {@link CONDITION}; "below" is without sign, "less" with. */
export function holds(condition: number, left: Word, right: Word): boolean {
  switch (condition) {
    case CONDITION.equal:
      return left === right;
    case CONDITION.notEqual:
      return left !== right;
    case CONDITION.below:
      return left >= 0 && right >= 0 ? left < right : unsigned(left) < unsigned(right);
    default:
      return left < right;
  }
}

const unsigned = (value: Word): bigint => BigInt.asUintN(64, BigInt(value));
