// The few machine operations that the stage's interpreter is written in, apart from how a machine encodes them.

/**
 * Registers by role. `n` holds a system call's number and then its result; `a0`…`a5` its arguments.
 * A system call changes `n`, `a0`, `scratch0` and `scratch1`; all others survive it.
 */
export type Register =
  | 'n'
  | 'a0'
  | 'a1'
  | 'a2'
  | 'a3'
  | 'a4'
  | 'a5'
  | 'step'
  | 'steps'
  | 'slots'
  | 'header'
  | 'left'
  | 'right'
  | 'scratch0'
  | 'scratch1';

export const ARGUMENT_REGISTERS: readonly Register[] = ['a0', 'a1', 'a2', 'a3', 'a4', 'a5'];

/** Unsigned below and above-or-equal, signed less. */
export type Condition = 'equal' | 'notEqual' | 'below' | 'aboveOrEqual' | 'less';
export type Width = 1 | 2 | 4 | 8;

export interface Assembler {
  /** Here is `name`; each name once. */
  label(name: string): void;
  move(to: Register, from: Register): void;
  /** `value` is taken modulo 2^64. */
  moveImmediate(to: Register, value: number | bigint): void;
  /** Narrow values are extended with zeros. `offset` is a multiple of `width` below 4096. */
  load(width: Width, to: Register, base: Register, offset: number): void;
  store(width: Width, base: Register, offset: number, from: Register): void;
  /** `to = to OP from`, 64 bits. */
  arithmetic(op: 'add' | 'subtract' | 'and' | 'or', to: Register, from: Register): void;
  /** |value| < 4096. */
  addImmediate(to: Register, value: number): void;
  /** 0 < bits < 64. */
  shiftLeft(to: Register, bits: number): void;
  negate(to: Register): void;
  compare(left: Register, right: Register): void;
  /** 0 ≤ value < 4096. */
  compareImmediate(left: Register, value: number): void;
  branch(condition: Condition, to: string): void;
  jump(to: string): void;
  systemCall(): void;
  /** The machine code, with every branch resolved. */
  finish(): Uint8Array;
}

/** Refuses a value that the encoding has no room for, and would take for another one. */
export function requireWithin(what: string, value: number, from: number, below: number): void {
  if (Number.isInteger(value) && value >= from && value < below) return;
  throw new RangeError(`${what} ${value} is not from ${from} to ${below - 1}`);
}

export function requireOffset(width: Width, offset: number): void {
  requireWithin('offset', offset, 0, 4096);
  if (offset % width !== 0) throw new RangeError(`offset ${offset} is not a multiple of ${width}`);
}

/** Bytes with places that are filled in when all labels are known. */
export class CodeBuffer {
  readonly bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #patches: { readonly label: string; apply(target: number): void }[] = [];

  label(name: string): void {
    if (this.#labels.has(name)) throw new Error(`label "${name}" defined twice`);
    this.#labels.set(name, this.bytes.length);
  }

  u8(...values: readonly number[]): void {
    this.bytes.push(...values);
  }

  u32(value: number): void {
    this.bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255);
  }

  setU32(at: number, value: number): void {
    for (let i = 0; i < 4; i++) this.bytes[at + i] = (value >>> (8 * i)) & 255;
  }

  /** Calls `apply` with the label's offset once it is known. */
  whenKnown(label: string, apply: (target: number) => void): void {
    this.#patches.push({ label, apply });
  }

  finish(): Uint8Array {
    for (const { label, apply } of this.#patches) {
      const target = this.#labels.get(label);
      if (target === undefined) throw new Error(`branch to the unknown label "${label}"`);
      apply(target);
    }
    return Uint8Array.from(this.bytes);
  }
}
