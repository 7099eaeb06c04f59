import { describe, expect, it } from 'vitest';
import { countProblem, operandCount } from '../../../../runtime/cli/operands.ts';

describe('operandCount()', () => {
  // biome-ignore format: a table
  const CASES: [operands: string, min: number, max: number][] = [
    ['',                             0, 0],
    ['<container-id>',               1, 1],
    ['<container-id> [signal]',      1, 2],
    ['<container-id> [ps-args...]',  1, Number.POSITIVE_INFINITY],
    ['<container-id> <command...>',  2, Number.POSITIVE_INFINITY],
  ];
  for (const [operands, min, max] of CASES) {
    it(`counts ${JSON.stringify(operands)}`, () => expect(operandCount(operands)).toEqual({ min, max }));
  }
});

describe('countProblem()', () => {
  // biome-ignore format: a table
  const CASES: [operands: string, given: number, problem: string | undefined][] = [
    ['<container-id>',          1, undefined],
    ['<container-id>',          0, 'exactly 1 argument(s)'],
    ['<container-id>',          2, 'exactly 1 argument(s)'],
    ['',                        1, 'exactly 0 argument(s)'],
    ['<container-id> [signal]', 0, 'a minimum of 1 argument(s)'],
    ['<container-id> [signal]', 3, 'a maximum of 2 argument(s)'],
    ['<id> [args...]',          9, undefined],
  ];
  for (const [operands, given, problem] of CASES) {
    it(`says of ${given} for ${JSON.stringify(operands)}: ${problem ?? 'nothing'}`, () => {
      expect(countProblem(operands, given)).toBe(problem);
    });
  }
});
