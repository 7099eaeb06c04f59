// A64 encodings. Source: Arm Architecture Reference Manual, C6; every form is compared with objdump's reading
// in the tests.
import {
  type Assembler,
  CodeBuffer,
  type Condition,
  type Register,
  requireOffset,
  requireWithin,
  type Width,
} from './assembler.ts';

// The kernel takes the call's number in x8 and returns in x0, after which it is moved to x8: `n` is both.
// biome-ignore format: a table
const REGISTERS: Readonly<Record<Register, number>> = {
  a0: 0, a1: 1, a2: 2, a3: 3, a4: 4, a5: 5, n: 8, scratch0: 9, scratch1: 10,
  step: 19, slots: 20, steps: 21, header: 22, left: 23, right: 24,
};

const CONDITIONS: Readonly<Record<Condition, number>> = {
  equal: 0x0,
  notEqual: 0x1,
  aboveOrEqual: 0x2,
  below: 0x3,
  less: 0xb,
};

/** The 64-bit shifted-register forms with shift 0. */
const ARITHMETIC = { add: 0x8b000000, subtract: 0xcb000000, and: 0x8a000000, or: 0xaa000000 } as const;

/** LDR and STR with an unsigned offset, which is scaled by the width. */
const LOADS: Readonly<Record<Width, number>> = { 1: 0x39400000, 2: 0x79400000, 4: 0xb9400000, 8: 0xf9400000 };
const STORES: Readonly<Record<Width, number>> = {
  1: 0x39000000,
  2: 0x79000000,
  4: 0xb9000000,
  8: 0xf9000000,
};

const ZERO_REGISTER = 31;

export function arm64Assembler(): Assembler {
  const code = new CodeBuffer();
  const word = (value: number): void => code.u32(value >>> 0);
  const threeRegisters = (opcode: number, to: number, left: number, right: number): void =>
    word(opcode | (right << 16) | (left << 5) | to);

  const transfer = (opcode: number, width: Width, value: Register, base: Register, offset: number): void => {
    requireOffset(width, offset);
    word(opcode | ((offset / width) << 10) | (REGISTERS[base] << 5) | REGISTERS[value]);
  };

  /** A branch whose displacement in words goes into `bits` bits at `shift`. */
  const relative = (opcode: number, bits: number, shift: number, to: string): void => {
    const at = code.bytes.length;
    word(0);
    code.whenKnown(to, (target) => {
      const words = (target - at) / 4;
      requireWithin('displacement', words, -(2 ** (bits - 1)), 2 ** (bits - 1));
      code.setU32(at, opcode | ((words & ((1 << bits) - 1)) << shift));
    });
  };

  return {
    label: (name) => code.label(name),
    // ORR to, xzr, from
    move: (to, from) => threeRegisters(ARITHMETIC.or, REGISTERS[to], ZERO_REGISTER, REGISTERS[from]),
    moveImmediate(to, value) {
      const bits = BigInt.asUintN(64, BigInt(value));
      word(0xd2800000 | (Number(bits & 0xffffn) << 5) | REGISTERS[to]);
      for (let half = 1; half < 4; half++) {
        const part = Number((bits >> BigInt(16 * half)) & 0xffffn);
        if (part !== 0) word(0xf2800000 | (half << 21) | (part << 5) | REGISTERS[to]);
      }
    },
    load: (width, to, base, offset) => transfer(LOADS[width], width, to, base, offset),
    store: (width, base, offset, from) => transfer(STORES[width], width, from, base, offset),
    arithmetic: (op, to, from) =>
      threeRegisters(ARITHMETIC[op], REGISTERS[to], REGISTERS[to], REGISTERS[from]),
    addImmediate(to, value) {
      requireWithin('immediate', value, -4095, 4096);
      const opcode = value < 0 ? 0xd1000000 : 0x91000000;
      word(opcode | (Math.abs(value) << 10) | (REGISTERS[to] << 5) | REGISTERS[to]);
    },
    // UBFM to, to, #(64 - bits), #(63 - bits)
    shiftLeft(to, bits) {
      requireWithin('shift', bits, 1, 64);

      word(0xd3400000 | ((64 - bits) << 16) | ((63 - bits) << 10) | (REGISTERS[to] << 5) | REGISTERS[to]);
    },
    negate: (to) => threeRegisters(ARITHMETIC.subtract, REGISTERS[to], ZERO_REGISTER, REGISTERS[to]),
    // SUBS xzr, left, right
    compare: (left, right) => threeRegisters(0xeb000000, ZERO_REGISTER, REGISTERS[left], REGISTERS[right]),
    compareImmediate(left, value) {
      requireWithin('immediate', value, 0, 4096);
      word(0xf1000000 | (value << 10) | (REGISTERS[left] << 5) | ZERO_REGISTER);
    },
    branch: (condition, to) => relative(0x54000000 | CONDITIONS[condition], 19, 5, to),
    jump: (to) => relative(0x14000000, 26, 0, to),
    systemCall() {
      word(0xd4000001);
      threeRegisters(ARITHMETIC.or, REGISTERS.n, ZERO_REGISTER, REGISTERS.a0);
    },
    finish: () => code.finish(),
  };
}
