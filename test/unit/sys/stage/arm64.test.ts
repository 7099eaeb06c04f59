import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { arm64Assembler } from '../../../../sys/stage/arm64.ts';
import type { Condition, Register } from '../../../../sys/stage/assembler.ts';
import {
  CONDITIONS,
  IMMEDIATES,
  OFFSETS,
  pairs,
  REFUSED,
  type Reading,
  readings,
  SHIFTS,
  WORDS,
} from '../../../support/assembled.ts';
import { disassemble, disassemblerMissing } from '../../../support/objdump.ts';

// biome-ignore format: a table
const NUMBERS: Readonly<Record<Register, number>> = {
  a0: 0, a1: 1, a2: 2, a3: 3, a4: 4, a5: 5, n: 8, scratch0: 9, scratch1: 10,
  step: 19, slots: 20, steps: 21, header: 22, left: 23, right: 24,
};
const REGISTERS = Object.keys(NUMBERS) as Register[];
const x = (register: Register): string => `x${NUMBERS[register]}`;
const w = (register: Register): string => `w${NUMBERS[register]}`;
const hex = (value: number | bigint): string => `#0x${value.toString(16)}`;
const at = (base: Register, offset: number): string =>
  offset === 0 ? `[${x(base)}]` : `[${x(base)}, #${offset}]`;

const BRANCHES: Readonly<Record<Condition, string>> = {
  equal: 'b.eq',
  notEqual: 'b.ne',
  below: 'b.cc',
  aboveOrEqual: 'b.cs',
  less: 'b.lt',
};

/** What a run of `mov` and `movk` leaves in the register. */
function movedValue(instructions: readonly string[]): bigint {
  let value = 0n;
  for (const text of instructions) {
    const [, op, digits = '', shift = '0'] =
      /^(mov|movk) x3, #(-?0x[0-9a-f]+)(?:, lsl #(\d+))?$/.exec(text) ?? [];
    const bits = BigInt(shift);
    const immediate = digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits);
    if (op === 'mov') value = BigInt.asUintN(64, immediate);
    else if (op === 'movk') value = (value & ~(0xffffn << bits)) | (immediate << bits);
    else throw new Error(`neither mov nor movk: ${text}`);
  }
  return value;
}

describe('arm64Assembler()', () => {
  const missing = disassemblerMissing('arm64');
  beforeEach((context) => context.skip(missing !== undefined, missing));

  it('moves, compares and calculates between every pair of registers', () => {
    const cases = pairs(REGISTERS).flatMap(([to, from]): Reading[] => [
      [(asm) => asm.move(to, from), `mov ${x(to)}, ${x(from)}`],
      [(asm) => asm.compare(to, from), `cmp ${x(to)}, ${x(from)}`],
      [(asm) => asm.arithmetic('add', to, from), `add ${x(to)}, ${x(to)}, ${x(from)}`],
      [(asm) => asm.arithmetic('subtract', to, from), `sub ${x(to)}, ${x(to)}, ${x(from)}`],
      [(asm) => asm.arithmetic('and', to, from), `and ${x(to)}, ${x(to)}, ${x(from)}`],
      [(asm) => asm.arithmetic('or', to, from), `orr ${x(to)}, ${x(to)}, ${x(from)}`],
    ]);
    const [read, expected] = readings('arm64', cases);
    expect(read).toEqual(expected);
  });

  it('loads and stores each width through every register', () => {
    const cases = pairs(REGISTERS).flatMap(([register, base]) =>
      OFFSETS.flatMap((offset): Reading[] => {
        const [full, half, place] = [x(register), w(register), at(base, offset)];
        return [
          [(asm) => asm.load(8, register, base, offset), `ldr ${full}, ${place}`],
          [(asm) => asm.load(4, register, base, offset), `ldr ${half}, ${place}`],
          [(asm) => asm.load(2, register, base, offset), `ldrh ${half}, ${place}`],
          [(asm) => asm.load(1, register, base, offset), `ldrb ${half}, ${place}`],
          [(asm) => asm.store(8, base, offset, register), `str ${full}, ${place}`],
          [(asm) => asm.store(4, base, offset, register), `str ${half}, ${place}`],
          [(asm) => asm.store(2, base, offset, register), `strh ${half}, ${place}`],
          [(asm) => asm.store(1, base, offset, register), `strb ${half}, ${place}`],
        ];
      }),
    );
    const [read, expected] = readings('arm64', cases);
    expect(read).toEqual(expected);
  });

  it('works with immediates in every register', () => {
    const cases = REGISTERS.flatMap((register): Reading[] => [
      [(asm) => asm.negate(register), `neg ${x(register)}, ${x(register)}`],
      ...IMMEDIATES.flatMap((value): Reading[] => [
        [(asm) => asm.compareImmediate(register, value), `cmp ${x(register)}, ${hex(value)}`],
        [(asm) => asm.addImmediate(register, value), `add ${x(register)}, ${x(register)}, ${hex(value)}`],
      ]),
      ...IMMEDIATES.filter((value) => value > 0).map(
        (value): Reading => [
          (asm) => asm.addImmediate(register, -value),
          `sub ${x(register)}, ${x(register)}, ${hex(value)}`,
        ],
      ),
      ...SHIFTS.map(
        (bits): Reading => [
          (asm) => asm.shiftLeft(register, bits),
          `lsl ${x(register)}, ${x(register)}, #${bits}`,
        ],
      ),
    ]);
    const [read, expected] = readings('arm64', cases);
    expect(read).toEqual(expected);
  });

  it('moves any 64-bit value, in at most four instructions', () => {
    const moved = (value: bigint): void => {
      const asm = arm64Assembler();
      asm.moveImmediate('a3', value);
      const code = asm.finish();
      expect(code.length).toBeLessThanOrEqual(16);
      expect(movedValue(disassemble('arm64', code).map(({ text }) => text))).toBe(BigInt.asUintN(64, value));
    };
    for (const value of WORDS) moved(value);
    fc.assert(fc.property(fc.bigInt(-(1n << 63n), (1n << 64n) - 1n), moved), { numRuns: 20 });
  });

  it('moves immediates into every register', () => {
    const cases = REGISTERS.map(
      (register): Reading => [(asm) => asm.moveImmediate(register, 4095), `mov ${x(register)}, #0xfff`],
    );
    const [read, expected] = readings('arm64', cases);
    expect(read).toEqual(expected);
  });

  it('branches and jumps forward and back to where the label is', () => {
    const asm = arm64Assembler();
    asm.label('back'); // at 0
    for (const condition of CONDITIONS) asm.branch(condition, 'back');
    for (const condition of CONDITIONS) asm.branch(condition, 'ahead');
    asm.jump('back');
    asm.jump('ahead');
    asm.systemCall(); // two instructions: the call, and its result to x8
    asm.label('ahead');
    asm.systemCall();
    const read = disassemble('arm64', asm.finish()).map(({ text }) => text);
    expect(read).toEqual([
      ...CONDITIONS.map((condition) => `${BRANCHES[condition]} 0x0`),
      ...CONDITIONS.map((condition) => `${BRANCHES[condition]} 0x38`),
      'b 0x0',
      'b 0x38',
      ...['svc #0x0', 'mov x8, x0', 'svc #0x0', 'mov x8, x0'],
    ]);
  });
});

describe('arm64Assembler() refuses', () => {
  for (const [what, emit] of REFUSED) {
    it(what, () => expect(() => emit(arm64Assembler(), 'a0')).toThrow(RangeError));
  }

  it('a branch farther than its 19 bits of words, while a jump reaches there', () => {
    const far = (emit: (asm: ReturnType<typeof arm64Assembler>) => void): Uint8Array => {
      const asm = arm64Assembler();
      emit(asm);
      for (let i = 0; i < 2 ** 18; i++) asm.negate('a0');
      asm.label('far');
      return asm.finish();
    };
    expect(() => far((asm) => asm.branch('equal', 'far'))).toThrow(RangeError);
    expect(far((asm) => asm.jump('far'))).toHaveLength(4 * (2 ** 18 + 1));
  });
});
