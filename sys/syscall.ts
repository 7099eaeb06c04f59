// System calls with JavaScript values for arguments.
import { HOST_ARCHITECTURE } from './abi/fcntl.ts';
import { type SyscallName, syscallNumber } from './abi/syscalls.ts';
import { SysError } from './errno.ts';
import { type Mapping, mapMemory, nativeSyscall, nativeSyscallInThread } from './ffi.ts';

/** Strings become C strings; a Uint8Array is lent to the kernel and holds afterwards what the kernel wrote. */
export type SyscallArgument = number | bigint | string | Uint8Array;

/** What the arguments of one call may take together: two paths of PATH_MAX, a struct or two, a 64 KiB buffer. */
const ARENA_BYTES = 256 * 1024;

let arena: Mapping | undefined;

/**
 * The result, or the negated errno: for calls whose refusal is an answer.
 * EINTR is returned, not retried: repeating is right for some calls and wrong for others.
 */
export function trySyscall(name: SyscallName, ...args: readonly SyscallArgument[]): number {
  const lent = lend(args);
  const result = nativeSyscall([syscallNumber(name, HOST_ARCHITECTURE), ...lent.numbers]);
  lent.giveBack();
  return result;
}

/** The result; a refusal is a {@link SysError} about the first string among the arguments. */
export function syscall(name: SyscallName, ...args: readonly SyscallArgument[]): number {
  const result = trySyscall(name, ...args);
  if (result >= 0) return result;
  const subject = args.find((argument) => typeof argument === 'string' && argument !== '');
  throw new SysError(name, -result, subject as string | undefined);
}

/** {@link trySyscall} on a thread of its own; takes numbers only, since memory cannot be lent for that long. */
export function syscallInThread(name: SyscallName, ...args: readonly number[]): Promise<number> {
  return nativeSyscallInThread([syscallNumber(name, HOST_ARCHITECTURE), ...args]);
}

interface Lent {
  readonly numbers: readonly number[];
  giveBack(): void;
}

const nothingToGiveBack = (): void => {};

function lend(args: readonly SyscallArgument[]): Lent {
  if (args.every((argument) => typeof argument === 'number')) {
    return { numbers: args as readonly number[], giveBack: nothingToGiveBack };
  }
  arena ??= mapMemory(ARENA_BYTES);
  const { address, bytes } = arena;
  const buffers: { readonly owner: Uint8Array; readonly at: number }[] = [];
  let end = 0;
  const numbers = args.map((argument) => {
    if (typeof argument === 'number') return argument;
    if (typeof argument === 'bigint') return integer(argument);
    const at = end;
    const length = typeof argument === 'string' ? Buffer.byteLength(argument) + 1 : argument.length;
    end = (at + length + 7) & ~7;
    if (end > ARENA_BYTES) throw new RangeError(`system call arguments of more than ${ARENA_BYTES} bytes`);
    if (typeof argument === 'string') {
      if (argument.includes('\0')) throw new SysError('path', 22, argument);
      bytes[at + bytes.write(argument, at)] = 0;
    } else {
      bytes.set(argument, at);
      buffers.push({ owner: argument, at });
    }
    return address + at;
  });
  return {
    numbers,
    giveBack: () => {
      for (const { owner, at } of buffers) owner.set(bytes.subarray(at, at + owner.length));
    },
  };
}

/** A register's value as the FFI takes it; beyond 2^53 it would be rounded, which no flag or size of ours needs. */
function integer(value: bigint): number {
  const signed = BigInt.asIntN(64, value);
  const number = Number(signed);
  if (!Number.isSafeInteger(number)) throw new RangeError(`system call argument out of range: ${value}`);
  return number;
}
