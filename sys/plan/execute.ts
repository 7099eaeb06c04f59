// Runs a program in this process, through the FFI: the same encoded steps as the stage's interpreter runs,
// with the same meaning.
import { HOST_ARCHITECTURE } from '../abi/fcntl.ts';
import { errnoNumber } from '../errno.ts';
import { type Mapping, mapMemory, nativeSyscallExact } from '../ffi.ts';
import {
  ANY_ERRNO,
  ARITHMETIC,
  CONDITION,
  ERRNO_MAX,
  HEADER,
  NO_SLOT,
  OP,
  OPERAND,
  OPERANDS_MAX,
  STEP,
} from '../stage/layout.ts';
import { encodeProgram } from './encode.ts';
import { PlanError } from './plan-error.ts';
import type { Program } from './program.ts';

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
  new Run(program, arena, encoded.memoryBytes).run();
  return new Map(
    [...encoded.slotOffsets].map(([name, offset]) => [name, Number(bytes.readBigInt64LE(offset))]),
  );
}

class Run {
  readonly #program: Program;
  readonly #address: number;
  readonly #memory: Buffer;
  readonly #steps: number;
  readonly #slots: number;
  readonly #end: number;
  #index = 0;

  constructor(program: Program, { address, bytes }: Mapping, memoryBytes: number) {
    this.#program = program;
    this.#address = address;
    this.#memory = bytes;
    this.#steps = Number(bytes.readBigUInt64LE(HEADER.steps)) - address;
    this.#slots = Number(bytes.readBigUInt64LE(HEADER.slots)) - address;
    this.#end = memoryBytes;
  }

  run(): void {
    const { length } = this.#program.steps;
    while (this.#index < length) this.#step(this.#steps + STEP.bytes * this.#index);
  }

  #step(at: number): void {
    const memory = this.#memory;
    const code = memory.readUInt32LE(at + STEP.code);
    switch (memory[at + STEP.op]) {
      case OP.call:
        this.#call(at, code);
        return;
      case OP.branch:
        this.#index = this.#holds(at) ? code : this.#index + 1;
        return;
      case OP.set:
        this.#keep(at, this.#arithmetic(at, code));
        break;
      case OP.load:
        this.#keep(at, this.#load(code, this.#local(this.#operand(at, 0), code)));
        break;
      case OP.store:
        this.#store(code, this.#local(this.#operand(at, 0), code), this.#operand(at, 1));
        break;
      case OP.report:
        break; // the host part has nobody to report to
      default:
        throw new PlanError(this.#program, this.#index, Number(this.#operand(at, 0)));
    }
    this.#index += 1;
  }

  #call(at: number, code: number): void {
    const args: (number | bigint)[] = [code];
    for (let i = 0; i < OPERANDS_MAX; i++) args.push(register(this.#operand(at, i)));
    const result = nativeSyscallExact(args);
    this.#keep(at, result);
    if (result >= 0n || result < -ERRNO_MAX) {
      this.#index += 1;
      return;
    }
    const errno = Number(-result);
    const target = this.#policyTarget(at, errno);
    if (target === undefined) throw new PlanError(this.#program, this.#index, errno);
    this.#index = target;
  }

  #policyTarget(at: number, errno: number): number | undefined {
    const memory = this.#memory;
    const count = memory[at + STEP.policies] ?? 0;
    for (let i = 0; i < count; i++) {
      const named = memory.readUInt16LE(at + STEP.policy + 4 * i);
      if (named === errno || named === ANY_ERRNO) return memory.readUInt16LE(at + STEP.policy + 4 * i + 2);
    }
    return undefined;
  }

  #holds(at: number): boolean {
    const [left, right] = [this.#operand(at, 0), this.#operand(at, 1)];
    switch (this.#memory.readUInt16LE(at + STEP.destination)) {
      case CONDITION.equal:
        return left === right;
      case CONDITION.notEqual:
        return left !== right;
      case CONDITION.below:
        return left < right;
      default:
        return BigInt.asIntN(64, left) < BigInt.asIntN(64, right);
    }
  }

  #arithmetic(at: number, op: number): bigint {
    const [left, right] = [this.#operand(at, 0), this.#operand(at, 1)];
    switch (op) {
      case ARITHMETIC.add:
        return left + right;
      case ARITHMETIC.subtract:
        return left - right;
      case ARITHMETIC.and:
        return left & right;
      case ARITHMETIC.or:
        return left | right;
      default:
        return left;
    }
  }

  #load(width: number, at: number): bigint {
    return width === 8 ? this.#memory.readBigUInt64LE(at) : BigInt(this.#memory.readUIntLE(at, width));
  }

  #store(width: number, at: number, value: bigint): void {
    if (width === 8) this.#memory.writeBigUInt64LE(value, at);
    else this.#memory.writeUIntLE(Number(BigInt.asUintN(8 * width, value)), at, width);
  }

  #operand(at: number, position: number): bigint {
    const value = this.#memory.readBigUInt64LE(at + STEP.operands + 8 * position);
    if (this.#memory[at + STEP.kinds + position] === OPERAND.immediate) return value;
    return this.#memory.readBigUInt64LE(this.#slots + Number(value));
  }

  #keep(at: number, value: bigint): void {
    const destination = this.#memory.readUInt16LE(at + STEP.destination);
    if (destination === NO_SLOT) return;
    this.#memory.writeBigUInt64LE(BigInt.asUintN(64, value), this.#slots + 8 * destination);
  }

  /** An address as an offset into the program's memory; a program that computed another one is wrong. */
  #local(address: bigint, width: number): number {
    const offset = Number(address) - this.#address;
    if (offset < 0 || offset + width > this.#end)
      throw new PlanError(this.#program, this.#index, errnoNumber('EFAULT'));
    return offset;
  }
}

/** As a number where that is exact, which is the faster way through the FFI. */
function register(value: bigint): number | bigint {
  const signed = BigInt.asIntN(64, value);
  const number = Number(signed);
  return Number.isSafeInteger(number) ? number : signed;
}
