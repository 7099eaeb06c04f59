// x86-64 encodings. Source: Intel SDM volume 2; every form is compared with objdump's reading in the tests.
import {
  type Assembler,
  CodeBuffer,
  type Condition,
  type Register,
  requireOffset,
  requireWithin,
} from './assembler.ts';

// The kernel's calling convention for the arguments (a3 is r10); rcx and r11 do not survive `syscall`.
// biome-ignore format: a table
const REGISTERS: Readonly<Record<Register, number>> = {
  n: 0, scratch0: 1, a2: 2, step: 3, left: 5, a1: 6, a0: 7,
  a4: 8, a5: 9, a3: 10, scratch1: 11, slots: 12, right: 13, steps: 14, header: 15,
};

const CONDITIONS: Readonly<Record<Condition, number>> = {
  below: 0x2,
  aboveOrEqual: 0x3,
  equal: 0x4,
  notEqual: 0x5,
  less: 0xc,
};

const ARITHMETIC = { add: 0x01, or: 0x09, and: 0x21, subtract: 0x29 } as const;

const REX_W = 0x48;

export function x64Assembler(): Assembler {
  const code = new CodeBuffer();
  const { u8, u32 } = { u8: code.u8.bind(code), u32: code.u32.bind(code) };

  const rex = (base: number, reg: number, rm: number): number => base | ((reg >> 3) << 2) | (rm >> 3);

  /** OPCODE reg, rm with both registers. */
  const registers = (opcode: number, reg: number, rm: number): void => {
    u8(rex(REX_W, reg, rm), opcode, 0xc0 | ((reg & 7) << 3) | (rm & 7));
  };

  /** The memory operand [base + offset], always with a 32-bit displacement; r12 needs a SIB byte. */
  const memory = (reg: number, base: number, offset: number): void => {
    u8(0x80 | ((reg & 7) << 3) | (base & 7));
    if ((base & 7) === 4) u8(0x24);
    u32(offset);
  };

  const relative32 = (to: string): void => {
    const at = code.bytes.length;
    u32(0);
    code.whenKnown(to, (target) => code.setU32(at, target - (at + 4)));
  };

  return {
    label: (name) => code.label(name),
    move: (to, from) => registers(0x89, REGISTERS[from], REGISTERS[to]),
    moveImmediate(to, value) {
      const reg = REGISTERS[to];
      const bits = BigInt.asUintN(64, BigInt(value));
      u8(rex(REX_W, 0, reg), 0xb8 | (reg & 7));
      u32(Number(bits & 0xffffffffn));
      u32(Number(bits >> 32n));
    },
    load(width, to, base, offset) {
      requireOffset(width, offset);
      const [reg, rm] = [REGISTERS[to], REGISTERS[base]];
      // A 32-bit move clears the upper half by itself; the narrower ones are movzx.
      const prefix = rex(width === 8 ? REX_W : 0x40, reg, rm);
      if (width >= 4) u8(prefix, 0x8b);
      else u8(prefix, 0x0f, width === 1 ? 0xb6 : 0xb7);
      memory(reg, rm, offset);
    },
    store(width, base, offset, from) {
      requireOffset(width, offset);
      const [reg, rm] = [REGISTERS[from], REGISTERS[base]];
      if (width === 2) u8(0x66);
      u8(rex(width === 8 ? REX_W : 0x40, reg, rm), width === 1 ? 0x88 : 0x89);
      memory(reg, rm, offset);
    },
    arithmetic: (op, to, from) => registers(ARITHMETIC[op], REGISTERS[from], REGISTERS[to]),
    addImmediate(to, value) {
      requireWithin('immediate', value, -4095, 4096);
      const reg = REGISTERS[to];
      u8(rex(REX_W, 0, reg), 0x81, 0xc0 | (reg & 7));
      u32(value);
    },
    shiftLeft(to, bits) {
      requireWithin('shift', bits, 1, 64);
      const reg = REGISTERS[to];
      u8(rex(REX_W, 0, reg), 0xc1, 0xe0 | (reg & 7), bits);
    },
    negate(to) {
      const reg = REGISTERS[to];
      u8(rex(REX_W, 0, reg), 0xf7, 0xd8 | (reg & 7));
    },
    compare: (left, right) => registers(0x39, REGISTERS[right], REGISTERS[left]),
    compareImmediate(left, value) {
      requireWithin('immediate', value, 0, 4096);
      const reg = REGISTERS[left];
      u8(rex(REX_W, 0, reg), 0x81, 0xf8 | (reg & 7));
      u32(value);
    },
    branch(condition, to) {
      u8(0x0f, 0x80 | CONDITIONS[condition]);
      relative32(to);
    },
    jump(to) {
      u8(0xe9);
      relative32(to);
    },
    systemCall: () => u8(0x0f, 0x05),
    finish: () => code.finish(),
  };
}
