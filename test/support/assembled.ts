// What both machines' assembler tests ask of an assembler.
import type { Architecture } from '../../sys/abi/syscalls.ts';
import { arm64Assembler } from '../../sys/stage/arm64.ts';
import type { Assembler, Condition, Register } from '../../sys/stage/assembler.ts';
import { x64Assembler } from '../../sys/stage/x64.ts';
import { disassemble } from './objdump.ts';

const ASSEMBLERS = { x64: x64Assembler, arm64: arm64Assembler } as const;

/** One operation, and how the disassembler must read it. */
export type Reading = readonly [emit: (asm: Assembler) => void, text: string];

/** What the disassembler reads, and what it should: compare the two. */
export function readings(architecture: Architecture, cases: readonly Reading[]): [string[], string[]] {
  const asm = ASSEMBLERS[architecture]();
  for (const [emit] of cases) emit(asm);
  const read = disassemble(architecture, asm.finish()).map(({ text }) => text);
  return [read, cases.map(([, text]) => text)];
}

/** Every pair, so that no register is tried in one place only. */
export const pairs = <T>(of: readonly T[]): (readonly [T, T])[] =>
  of.flatMap((left) => of.map((right) => [left, right] as const));

/** Values at the edges of the fields that hold them. */
export const OFFSETS: readonly number[] = [0, 8, 120, 128, 256, 4088];
export const IMMEDIATES: readonly number[] = [0, 1, 127, 128, 255, 256, 4095];
export const SHIFTS: readonly number[] = [1, 5, 31, 32, 63];
export const CONDITIONS: readonly Condition[] = ['equal', 'notEqual', 'below', 'aboveOrEqual', 'less'];
export const WORDS: readonly bigint[] = [
  ...[0n, 1n, 0xffffn, 0x10000n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 0x123456789abcdefn],
  ...[-1n, -4095n, -0x80000000n, -0x80000001n, 1n << 63n, (1n << 64n) - 1n, 0xffff0000ffff0000n],
];

/** What an encoding has no room for. */
export const REFUSED: readonly (readonly [
  what: string,
  emit: (asm: Assembler, register: Register) => void,
])[] = [
  ['an offset of 4096', (asm, register) => asm.load(8, register, register, 4096)],
  ['a negative offset', (asm, register) => asm.store(8, register, -8, register)],
  ['an offset that the width does not divide', (asm, register) => asm.load(4, register, register, 2)],
  ['an added 4096', (asm, register) => asm.addImmediate(register, 4096)],
  ['a subtracted 4096', (asm, register) => asm.addImmediate(register, -4096)],
  ['a comparison with 4096', (asm, register) => asm.compareImmediate(register, 4096)],
  ['a comparison with -1', (asm, register) => asm.compareImmediate(register, -1)],
  ['a shift by 0', (asm, register) => asm.shiftLeft(register, 0)],
  ['a shift by 64', (asm, register) => asm.shiftLeft(register, 64)],
  ['a fraction', (asm, register) => asm.addImmediate(register, 0.5)],
];
