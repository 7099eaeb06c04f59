// A program's binary form: what the stage's interpreter runs. The layout is sys/stage/layout.ts's.
import { type Architecture, syscallNumber } from '../abi/syscalls.ts';
import { errnoNumber } from '../errno.ts';
import {
  ANY_ERRNO,
  ARITHMETIC,
  CONDITION,
  FIRST_FREE_SLOT,
  HEADER,
  NO_SLOT,
  OP,
  OPERAND,
  OPERANDS_MAX,
  POLICIES_MAX,
  REPORT_SLOT,
  STEP,
  STEPS_MAX,
  TRACE_SLOT,
} from '../stage/layout.ts';
import {
  type Block,
  NEXT,
  type Operand,
  type Program,
  REPORT,
  type Slot,
  type Step,
  type Target,
} from './program.ts';

export interface EncodeOptions {
  readonly architecture: Architecture;
  /** Where the encoded plan will lie in memory. */
  readonly address: number;
  /** Slots that are settled before the program starts: descriptors that are handed in. */
  readonly given: ReadonlyMap<string, number>;
  readonly reportFd: number;
  /** Negative: no trace. */
  readonly traceFd: number;
}

export interface Encoded {
  /** Header, slots, steps and data, in this order. */
  readonly bytes: Uint8Array;
  /** How much memory it takes: buffers that start as zeros are not among the bytes. */
  readonly memoryBytes: number;
  /** slot name → its offset in the bytes */
  readonly slotOffsets: ReadonlyMap<string, number>;
}

const align = (n: number, to: number): number => Math.ceil(n / to) * to;

export function encodeProgram(program: Program, options: EncodeOptions): Encoded {
  return new Encoder(program, options).encode();
}

class Encoder {
  readonly #program: Program;
  readonly #options: EncodeOptions;
  readonly #slots = new Map<string, number>();
  /** Blocks with bytes come first, so that those of zeros need no room in the file. */
  readonly #blocks = new Map<Block, number>();
  readonly #strings = new Map<string, number>();
  #view: DataView = new DataView(new ArrayBuffer(0));
  #bytes = new Uint8Array(0);

  constructor(program: Program, options: EncodeOptions) {
    this.#program = program;
    this.#options = options;
    if (program.steps.length > STEPS_MAX) throw new RangeError(`a plan of more than ${STEPS_MAX} steps`);
  }

  encode(): Encoded {
    const { given, reportFd, traceFd } = this.#options;
    for (const name of given.keys()) this.#slotNumber(name);
    const blocks = this.#collect();
    const slotsAt = HEADER.bytes;
    const stepsAt = align(slotsAt + 8 * (FIRST_FREE_SLOT + this.#slots.size), 16);
    const dataAt = stepsAt + STEP.bytes * (this.#program.steps.length + 1); // one more, of zeros, ends it
    const { fileBytes, memoryBytes } = this.#lay(blocks, align(dataAt, 16));

    this.#bytes = new Uint8Array(fileBytes);
    this.#view = new DataView(this.#bytes.buffer);
    this.#u64(HEADER.steps, this.#options.address + stepsAt);
    this.#u64(HEADER.slots, this.#options.address + slotsAt);
    this.#u64(slotsAt + 8 * REPORT_SLOT, reportFd);
    this.#u64(slotsAt + 8 * TRACE_SLOT, traceFd);
    for (const [name, value] of given) this.#u64(slotsAt + 8 * this.#slotNumber(name), value);
    for (const one of blocks) this.#writeBlock(one);
    this.#program.steps.forEach((step, index) => {
      this.#writeStep(step, index, stepsAt + STEP.bytes * index);
    });
    const slotOffsets = new Map([...this.#slots].map(([name, number]) => [name, slotsAt + 8 * number]));
    return { bytes: this.#bytes, memoryBytes, slotOffsets };
  }

  /** Numbers every slot, and lists every block that steps reach. */
  #collect(): Block[] {
    const seen = new Set<Block>();
    const visit = (of: Block): void => {
      if (seen.has(of)) return;
      seen.add(of);
      for (const { to } of of.pointers) visit(to);
    };
    for (const step of this.#program.steps) {
      for (const operand of operandsOf(step)) {
        if (typeof operand === 'number' || typeof operand === 'bigint') continue;
        if (operand.kind === 'slot') this.#slotNumber(operand.name);
        else if (operand.kind === 'slotAddress') this.#slotNumber(operand.slot.name);
        else if (operand.kind === 'block') visit(operand);
        else if (operand.kind === 'place') visit(operand.block);
      }
      const into = destinationOf(step);
      if (into !== undefined) this.#slotNumber(into.name);
    }
    return [...seen];
  }

  /** Gives every block its offset; equal strings share one. */
  #lay(blocks: readonly Block[], start: number): { fileBytes: number; memoryBytes: number } {
    let end = start;
    const inFile = (one: Block): boolean => one.bytes.length > 0 || one.pointers.length > 0;
    for (const one of blocks.filter(inFile)) {
      const shared = one.text.startsWith('"') ? this.#strings.get(one.text) : undefined;
      if (shared !== undefined) {
        this.#blocks.set(one, shared);
        continue;
      }
      this.#blocks.set(one, end);
      if (one.text.startsWith('"')) this.#strings.set(one.text, end);
      end = align(end + one.size, 8);
    }
    const fileBytes = end;
    for (const one of blocks.filter((b) => !inFile(b))) {
      this.#blocks.set(one, end);
      end = align(end + one.size, 8);
    }
    return { fileBytes, memoryBytes: end };
  }

  #writeBlock(one: Block): void {
    const at = this.#blockOffset(one);
    if (one.bytes.length > 0) this.#bytes.set(one.bytes, at);
    for (const pointer of one.pointers) {
      this.#u64(at + pointer.at, this.#options.address + this.#blockOffset(pointer.to));
    }
  }

  #writeStep(step: Step, index: number, at: number): void {
    const view = this.#view;
    view.setUint8(at + STEP.op, OP[step.kind]);
    const into = destinationOf(step);
    const destination = into === undefined ? NO_SLOT : this.#slotNumber(into.name);
    view.setUint16(
      at + STEP.destination,
      step.kind === 'branch' ? CONDITION[step.comparison] : destination,
      true,
    );
    view.setUint32(at + STEP.code, this.#code(step), true);
    const operands = operandsOf(step);
    if (operands.length > OPERANDS_MAX)
      throw new RangeError(`more than ${OPERANDS_MAX} operands: ${step.label}`);
    operands.forEach((operand, position) => {
      const isSlot = typeof operand === 'object' && operand.kind === 'slot';
      view.setUint8(at + STEP.kinds + position, isSlot ? OPERAND.slot : OPERAND.immediate);
      this.#u64(at + STEP.operands + 8 * position, this.#operand(operand));
    });
    if (step.kind !== 'call') return;
    if (step.policies.length > POLICIES_MAX)
      throw new RangeError(`more than ${POLICIES_MAX} policies: ${step.label}`);
    view.setUint8(at + STEP.policies, step.policies.length);
    step.policies.forEach(([errno, target], position) => {
      const policyAt = at + STEP.policy + 4 * position;
      view.setUint16(policyAt, errno === 'any' ? ANY_ERRNO : errnoNumber(errno), true);
      view.setUint16(policyAt + 2, this.#target(target, index), true);
    });
  }

  #code(step: Step): number {
    switch (step.kind) {
      case 'call':
        return syscallNumber(step.call, this.#options.architecture);
      case 'branch':
        return this.#target(step.to, 0);
      case 'set':
        return ARITHMETIC[step.op];
      case 'load':
      case 'store':
        return step.width;
      default:
        return 0;
    }
  }

  #operand(operand: Operand): number | bigint {
    if (typeof operand === 'number' || typeof operand === 'bigint') return operand;
    switch (operand.kind) {
      case 'slot':
        return 8 * this.#slotNumber(operand.name);
      case 'slotAddress':
        return this.#options.address + HEADER.bytes + 8 * this.#slotNumber(operand.slot.name);
      case 'block':
        return this.#options.address + this.#blockOffset(operand);
      case 'place':
        return this.#options.address + this.#blockOffset(operand.block) + operand.offset;
      case 'flags':
        return operand.value;
    }
  }

  #target(target: Target, index: number): number {
    if (target === NEXT) return index + 1;
    const number = this.#program.labels.get(target);
    if (number === undefined) throw new Error(`branch to the unknown label "${target}"`);
    return number;
  }

  #blockOffset(of: Block): number {
    const offset = this.#blocks.get(of);
    if (offset === undefined) throw new Error(`a block that no step reaches: ${of.text}`);
    return offset;
  }

  #slotNumber(name: string): number {
    if (name === REPORT.name) return REPORT_SLOT;
    let number = this.#slots.get(name);
    if (number === undefined) {
      number = FIRST_FREE_SLOT + this.#slots.size;
      this.#slots.set(name, number);
    }
    return number;
  }

  #u64(at: number, value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.#view.setBigUint64(at, BigInt.asUintN(64, value), true);
      return;
    }
    // Two halves are several times as fast as a bigint; floor and >>> 0 give two's complement below zero too.
    this.#view.setUint32(at, value >>> 0, true);
    this.#view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000) >>> 0, true);
  }
}

/** The operands of a step in the order in which they are encoded. */
export function operandsOf(step: Step): readonly Operand[] {
  switch (step.kind) {
    case 'call':
      return step.operands;
    case 'branch':
    case 'set':
      return [step.left, step.right];
    case 'load':
      return [step.from];
    case 'store':
      return [step.to, step.value];
    case 'report':
      return [step.value];
    case 'fail':
      return [errnoNumber(step.errno)];
  }
}

export function destinationOf(step: Step): Slot | undefined {
  return step.kind === 'call' || step.kind === 'set' || step.kind === 'load' ? step.into : undefined;
}
