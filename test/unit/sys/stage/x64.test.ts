import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Condition, Register } from '../../../../sys/stage/assembler.ts';
import { x64Assembler } from '../../../../sys/stage/x64.ts';
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

// The names of each register's 64, 32, 16 and 8 bits.
// biome-ignore format: a table
const NAMES: Readonly<Record<Register, readonly [string, string, string, string]>> = {
  n:    ['rax', 'eax',  'ax',   'al'],   scratch0: ['rcx', 'ecx',  'cx',   'cl'],
  a2:   ['rdx', 'edx',  'dx',   'dl'],   step:     ['rbx', 'ebx',  'bx',   'bl'],
  left: ['rbp', 'ebp',  'bp',   'bpl'],  a1:       ['rsi', 'esi',  'si',   'sil'],
  a0:   ['rdi', 'edi',  'di',   'dil'],  a4:       ['r8',  'r8d',  'r8w',  'r8b'],
  a5:   ['r9',  'r9d',  'r9w',  'r9b'],  a3:       ['r10', 'r10d', 'r10w', 'r10b'],
  scratch1: ['r11', 'r11d', 'r11w', 'r11b'], slots: ['r12', 'r12d', 'r12w', 'r12b'],
  right: ['r13', 'r13d', 'r13w', 'r13b'], steps:   ['r14', 'r14d', 'r14w', 'r14b'],
  header: ['r15', 'r15d', 'r15w', 'r15b'],
};
const REGISTERS = Object.keys(NAMES) as Register[];
const name = (register: Register): string => NAMES[register][0];
const hex = (value: number | bigint): string => `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;
const at = (base: Register, offset: number): string => `PTR [${name(base)}+${hex(offset)}]`;

const JUMPS: Readonly<Record<Condition, string>> = {
  equal: 'je',
  notEqual: 'jne',
  below: 'jb',
  aboveOrEqual: 'jae',
  less: 'jl',
};

describe('x64Assembler()', () => {
  const missing = disassemblerMissing('x64');
  beforeEach((context) => context.skip(missing !== undefined, missing));

  it('moves, compares and calculates between every pair of registers', () => {
    const cases = pairs(REGISTERS).flatMap(([to, from]): Reading[] => [
      [(asm) => asm.move(to, from), `mov ${name(to)},${name(from)}`],
      [(asm) => asm.compare(to, from), `cmp ${name(to)},${name(from)}`],
      [(asm) => asm.arithmetic('add', to, from), `add ${name(to)},${name(from)}`],
      [(asm) => asm.arithmetic('subtract', to, from), `sub ${name(to)},${name(from)}`],
      [(asm) => asm.arithmetic('and', to, from), `and ${name(to)},${name(from)}`],
      [(asm) => asm.arithmetic('or', to, from), `or ${name(to)},${name(from)}`],
    ]);
    const [read, expected] = readings('x64', cases);
    expect(read).toEqual(expected);
  });

  it('loads and stores each width through every register', () => {
    const cases = pairs(REGISTERS).flatMap(([register, base]) =>
      OFFSETS.flatMap((offset): Reading[] => {
        const [full, half, word, byte] = NAMES[register];
        const place = at(base, offset);
        return [
          [(asm) => asm.load(8, register, base, offset), `mov ${full},QWORD ${place}`],
          [(asm) => asm.load(4, register, base, offset), `mov ${half},DWORD ${place}`],
          [(asm) => asm.load(2, register, base, offset), `movzx ${half},WORD ${place}`],
          [(asm) => asm.load(1, register, base, offset), `movzx ${half},BYTE ${place}`],
          [(asm) => asm.store(8, base, offset, register), `mov QWORD ${place},${full}`],
          [(asm) => asm.store(4, base, offset, register), `mov DWORD ${place},${half}`],
          [(asm) => asm.store(2, base, offset, register), `mov WORD ${place},${word}`],
          [(asm) => asm.store(1, base, offset, register), `mov BYTE ${place},${byte}`],
        ];
      }),
    );
    const [read, expected] = readings('x64', cases);
    expect(read).toEqual(expected);
  });

  it('works with immediates in every register', () => {
    const cases = REGISTERS.flatMap((register): Reading[] => [
      [(asm) => asm.negate(register), `neg ${name(register)}`],
      ...WORDS.map(
        (value): Reading => [
          (asm) => asm.moveImmediate(register, value),
          `movabs ${name(register)},${hex(value)}`,
        ],
      ),
      ...IMMEDIATES.flatMap((value): Reading[] => [
        [(asm) => asm.compareImmediate(register, value), `cmp ${name(register)},${hex(value)}`],
        [(asm) => asm.addImmediate(register, value), `add ${name(register)},${hex(value)}`],
        [(asm) => asm.addImmediate(register, -value), `add ${name(register)},${hex(-value)}`],
      ]),
      ...SHIFTS.map(
        (bits): Reading => [(asm) => asm.shiftLeft(register, bits), `shl ${name(register)},${hex(bits)}`],
      ),
    ]);
    const [read, expected] = readings('x64', cases);
    expect(read).toEqual(expected);
  });

  it('moves any 64-bit value', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(-(1n << 63n), (1n << 64n) - 1n), { minLength: 50 }), (values) => {
        const cases = values.map(
          (value): Reading => [(asm) => asm.moveImmediate('a3', value), `movabs r10,${hex(value)}`],
        );
        const [read, expected] = readings('x64', cases);
        expect(read).toEqual(expected);
      }),
      { numRuns: 5 },
    );
  });

  it('branches and jumps forward and back to where the label is', () => {
    const asm = x64Assembler();
    asm.label('back'); // at 0
    for (const condition of CONDITIONS) asm.branch(condition, 'back');
    for (const condition of CONDITIONS) asm.branch(condition, 'ahead');
    asm.jump('back');
    asm.jump('ahead');
    asm.systemCall();
    asm.label('ahead'); // ten branches of 6 bytes, two jumps of 5, one syscall of 2
    asm.systemCall();
    const read = disassemble('x64', asm.finish()).map(({ text }) => text);
    expect(read).toEqual([
      ...CONDITIONS.map((condition) => `${JUMPS[condition]} 0x0`),
      ...CONDITIONS.map((condition) => `${JUMPS[condition]} 0x48`),
      'jmp 0x0',
      'jmp 0x48',
      'syscall',
      'syscall',
    ]);
  });
});

describe('x64Assembler() refuses', () => {
  for (const [what, emit] of REFUSED) {
    it(what, () => expect(() => emit(x64Assembler(), 'a0')).toThrow(RangeError));
  }

  it('a branch to a label that is never set, and a label set twice', () => {
    const asm = x64Assembler();
    asm.jump('nowhere');
    expect(() => asm.finish()).toThrow('branch to the unknown label "nowhere"');
    asm.label('nowhere');
    expect(asm.finish()).toHaveLength(5);
    expect(() => asm.label('nowhere')).toThrow('label "nowhere" defined twice');
  });
});
