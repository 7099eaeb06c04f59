// Runs a program in this process, through the FFI: the same encoded steps as the stage's interpreter runs,
// with the same meaning.
import { HOST_ARCHITECTURE } from '../abi/fcntl.ts';
import { errnoNumber } from '../errno.ts';
import { type Mapping, mapMemory, nativeSyscallExact } from '../ffi.ts';
import { ANY_ERRNO, ERRNO_MAX, HEADER, NO_SLOT, OP, OPERAND, OPERANDS_MAX, STEP } from '../stage/layout.ts';
import { calculate, holds } from './arithmetic.ts';
import { encodeProgram } from './encode.ts';
import { PlanError } from './plan-error.ts';
import type { Program } from './program.ts';
import { toWord, type Word, words } from './words.ts';

/** Values of the slots, by name, when the program ended. */
export type SlotValues = ReadonlyMap<string, number>;

const ARENA_BYTES = 1024 * 1024;
let arena: Mapping | undefined;

/**
 * Runs `program` to its end and returns what its slots hold.
 * @throws {PlanError} the step that was refused, with its label and errno
 */
export function executeProgram(program: Program, given: SlotValues = new Map()): SlotValues {
  arena ??= mapMemory(ARENA_BYTES);
  const { address, bytes } = arena;
  const encoded = encodeProgram(program, {
    architecture: HOST_ARCHITECTURE,
    address,
    given,
    reportFd: -1,
    traceFd: -1,
  });
  if (encoded.memoryBytes > ARENA_BYTES) throw new RangeError(`a program of more than ${ARENA_BYTES} bytes`);
  bytes.set(encoded.bytes);
  bytes.fill(0, encoded.bytes.length, encoded.memoryBytes);
  const memory = bytes.subarray(0, encoded.memoryBytes);
  const { get } = words(memory.buffer, memory.byteOffset, memory.length);
  run(program, address, memory);
  const values = new Map<string, number>();
  for (const [name, offset] of encoded.slotOffsets) values.set(name, Number(get(offset)));
  return values;
}

/** `memory` holds the encoded program, and lies at `address`. */
function run(program: Program, address: number, memory: Buffer): void {
  const { u8, u16, u32, get, set } = words(memory.buffer, memory.byteOffset, memory.length);
  const stepsAt = Number(get(HEADER.steps)) - address;
  const slotsAt = Number(get(HEADER.slots)) - address;
  const { length } = program.steps;
  let index = 0;

  const fail = (errno: number): never => {
    throw new PlanError(program, index, errno);
  };

  function operand(at: number, position: number): Word {
    const value = get(at + STEP.operands + 8 * position);
    return u8[at + STEP.kinds + position] === OPERAND.immediate ? value : get(slotsAt + Number(value));
  }

  function keep(at: number, value: Word): void {
    const destination = u16[(at + STEP.destination) >> 1] as number;
    if (destination !== NO_SLOT) set(slotsAt + 8 * destination, value);
  }

  /** An address as an offset into the program's memory; a program that computed another one is wrong. */
  function local(value: Word, width: number): number {
    const offset = Number(value) - address;
    return offset >= 0 && offset + width <= memory.length ? offset : fail(errnoNumber('EFAULT'));
  }

  /** Where the step goes on, by the policies for what the kernel said. */
  function call(at: number, number: number): number {
    const registers: Word[] = [number];
    for (let i = 0; i < OPERANDS_MAX; i++) registers.push(operand(at, i));
    const result = toWord(nativeSyscallExact(registers));
    keep(at, result);
    if (result >= 0 || result < -ERRNO_MAX) return index + 1;
    const errno = -Number(result);
    const policies = u8[at + STEP.policies] as number;
    for (let i = 0; i < policies; i++) {
      const policyAt = ((at + STEP.policy) >> 1) + 2 * i;
      if (u16[policyAt] === errno || u16[policyAt] === ANY_ERRNO) return u16[policyAt + 1] as number;
    }
    return fail(errno);
  }

  /** @returns the number of the step to go on with */
  function step(at: number): number {
    const code = u32[(at + STEP.code) >> 2] as number;
    switch (u8[at + STEP.op]) {
      case OP.call:
        return call(at, code);
      case OP.branch: {
        const condition = u16[(at + STEP.destination) >> 1] as number;
        return holds(condition, operand(at, 0), operand(at, 1)) ? code : index + 1;
      }
      case OP.set:
        keep(at, calculate(code, operand(at, 0), operand(at, 1)));
        return index + 1;
      case OP.load:
        keep(at, load(memory, code, local(operand(at, 0), code)));
        return index + 1;
      case OP.store:
        store(memory, code, local(operand(at, 0), code), operand(at, 1));
        return index + 1;
      case OP.report:
        return index + 1; // the host part has nobody to report to
      default:
        return fail(Number(operand(at, 0)));
    }
  }

  while (index < length) index = step(stepsAt + STEP.bytes * index);
}

function load(memory: Buffer, width: number, at: number): Word {
  return width === 8 ? toWord(memory.readBigUInt64LE(at)) : memory.readUIntLE(at, width);
}

function store(memory: Buffer, width: number, at: number, value: Word): void {
  if (width === 8) memory.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), at);
  else memory.writeUIntLE(Number(BigInt.asUintN(8 * width, BigInt(value))), at, width);
}
