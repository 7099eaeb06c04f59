// A program's binary form: what the stage's interpreter runs. The layout is sys/stage/layout.ts's.
import { type Architecture, syscallNumber } from '../abi/syscalls.ts';
import { errnoNumber } from '../errno.ts';
import {
  ANY_ERRNO,
  ARITHMETIC,
  CONDITION,
  HEADER,
  NO_SLOT,
  OP,
  OPERAND,
  OPERANDS_MAX,
  POLICIES_MAX,
  STEP,
  STEPS_MAX,
} from '../stage/layout.ts';
import { blockTable } from './block-table.ts';
import {
  type CallStep,
  NEXT,
  type Operand,
  type Program,
  type Slot,
  type Step,
  type Target,
} from './program.ts';
import { slotTable } from './slot-table.ts';
import { words } from './words.ts';

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
  /** Header, steps, slots and data, in this order. */
  readonly bytes: Uint8Array;
  /** How much memory it takes: buffers that start as zeros are not among the bytes. */
  readonly memoryBytes: number;
  /** slot name → its offset in the bytes */
  readonly slotOffsets: ReadonlyMap<string, number>;
}

/**
 * A plan with its buffers takes a few hundred KB. This is far below where it would reach what the kernel maps beside it,
 * and far beyond what a stage should cost in a container's memory.
 */
const MEMORY_BYTES_MAX = 16 * 1024 * 1024;

const STEPS_AT = HEADER.bytes;

/**
 * One pass over the steps, through views of 8, 16 and 32 bits. This runs once in a process, before any compiler has seen
 * it: there, variables of a closure are twice as fast as fields of an object, and element stores as calls of a DataView.
 * Every machine of ours is little endian, and every field aligned.
 */
export function encodeProgram(program: Program, options: EncodeOptions): Encoded {
  const { steps, labels } = program;
  const { architecture, address, given } = options;
  if (steps.length > STEPS_MAX) throw new RangeError(`a plan of more than ${STEPS_MAX} steps`);
  const slotsAt = STEPS_AT + STEP.bytes * (steps.length + 1); // one step more, of zeros, ends it
  const slots = slotTable(given);
  const blocks = blockTable();
  /** Words that await a block's address: where, and the block's number, in turn. */
  const pointers: number[] = [];
  const { u8, u16, u32, set: word } = words(new ArrayBuffer(slotsAt), 0, slotsAt);

  function operand(stepAt: number, position: number, of: Operand): void {
    const at = stepAt + STEP.operands + 8 * position;
    if (typeof of !== 'object') {
      word(at, of);
      return;
    }
    switch (of.kind) {
      case 'slot':
        u8[stepAt + STEP.kinds + position] = OPERAND.slot;
        u32[at >> 2] = 8 * slots.number(of.name);
        return;
      case 'block':
        pointers.push(at, blocks.add(of));
        return;
      case 'flags':
        word(at, of.value);
        return;
      case 'place':
        u32[at >> 2] = of.offset;
        pointers.push(at, blocks.add(of.block));
        return;
      case 'slotAddress':
        word(at, address + slotsAt + 8 * slots.number(of.slot.name));
    }
  }

  function head(at: number, into: Slot | undefined, code: number): void {
    u16[(at + STEP.destination) >> 1] = into === undefined ? NO_SLOT : slots.number(into.name);
    u32[(at + STEP.code) >> 2] = code;
  }

  function target(to: Target, index: number): number {
    if (to === NEXT) return index + 1;
    const number = labels.get(to);
    if (number === undefined) throw new Error(`branch to the unknown label "${to}"`);
    return number;
  }

  function call({ call: name, into, operands, policies, label }: CallStep, index: number, at: number): void {
    if (operands.length > OPERANDS_MAX) throw new RangeError(`more than ${OPERANDS_MAX} operands: ${label}`);
    if (policies.length > POLICIES_MAX) throw new RangeError(`more than ${POLICIES_MAX} policies: ${label}`);
    head(at, into, syscallNumber(name, architecture));
    for (let i = 0; i < operands.length; i++) operand(at, i, operands[i] as Operand);
    u8[at + STEP.policies] = policies.length;
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i] as CallStep['policies'][number]; // taking it apart with [,] costs an iterator
      const policyAt = ((at + STEP.policy) >> 1) + 2 * i;
      u16[policyAt] = policy[0] === 'any' ? ANY_ERRNO : errnoNumber(policy[0]);
      u16[policyAt + 1] = target(policy[1], index);
    }
  }

  function encodeStep(step: Step, index: number, at: number): void {
    u8[at + STEP.op] = OP[step.kind];
    switch (step.kind) {
      case 'call':
        call(step, index, at);
        return;
      case 'branch':
        u16[(at + STEP.destination) >> 1] = CONDITION[step.comparison];
        u32[(at + STEP.code) >> 2] = target(step.to, index);
        operand(at, 0, step.left);
        operand(at, 1, step.right);
        return;
      case 'set':
        head(at, step.into, ARITHMETIC[step.op]);
        operand(at, 0, step.left);
        operand(at, 1, step.right);
        return;
      case 'load':
        head(at, step.into, step.width);
        operand(at, 0, step.from);
        return;
      case 'store':
        head(at, undefined, step.width);
        operand(at, 0, step.to);
        operand(at, 1, step.value);
        return;
      case 'report':
        head(at, undefined, 0);
        operand(at, 0, step.value);
        return;
      case 'fail':
        head(at, undefined, 0);
        operand(at, 0, errnoNumber(step.errno));
    }
  }

  word(HEADER.steps, address + STEPS_AT);
  word(HEADER.slots, address + slotsAt);
  for (let i = 0; i < steps.length; i++) encodeStep(steps[i] as Step, i, STEPS_AT + STEP.bytes * i);

  const { fileBytes, memoryBytes } = blocks.arrange(slotsAt + 8 * slots.count());
  if (memoryBytes > MEMORY_BYTES_MAX) throw new RangeError(`a plan of more than ${MEMORY_BYTES_MAX} bytes`);
  for (let i = 0; i < pointers.length; i += 2) {
    const at = pointers[i] as number;
    word(at, address + blocks.offset(pointers[i + 1] as number) + (u32[at >> 2] as number));
  }
  const bytes = new Uint8Array(fileBytes);
  bytes.set(u8);
  blocks.write(bytes, address);
  slots.write(bytes, slotsAt, options);
  return { bytes, memoryBytes, slotOffsets: slots.offsets(slotsAt) };
}
