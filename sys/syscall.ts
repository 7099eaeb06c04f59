// System calls with JavaScript values for arguments.
import { HOST_ARCHITECTURE } from './abi/fcntl.ts';
import { type SyscallName, syscallNumber } from './abi/syscalls.ts';
import { errnoNumber, SysError } from './errno.ts';
import { type Mapping, mapMemory, type NativeInteger, nativeSyscall, nativeSyscallInThread } from './ffi.ts';

/** Strings become C strings; a Uint8Array is lent to the kernel and holds afterwards what the kernel wrote. */
export type SyscallArgument = number | bigint | string | Uint8Array;

/** What the arguments of one call may take together: two paths of PATH_MAX, a struct or two, a 64 KiB buffer. */
const ARENA_BYTES = 256 * 1024;

let arena: Mapping | undefined;

/**
 * The result, or the negated errno: for calls whose refusal is an answer.
 * EINTR is returned, not retried: repeating is right for some calls and wrong for others.
 * A string that the kernel could only be told a part of is refused as the kernel would: EINVAL, ENAMETOOLONG.
 */
export function trySyscall(name: SyscallName, ...args: readonly SyscallArgument[]): number {
  const registers: NativeInteger[] = [syscallNumber(name, HOST_ARCHITECTURE)];
  let lent = 0;
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] as SyscallArgument;
    if (typeof argument === 'number') {
      registers.push(requireInteger(argument));
    } else if (typeof argument === 'bigint') {
      registers.push(BigInt.asIntN(64, argument));
    } else {
      arena ??= mapMemory(ARENA_BYTES);
      const length = lend(arena.bytes, lent, argument);
      if (length < 0) return length;
      registers.push(arena.address + lent);
      lent = (lent + length + 7) & ~7;
    }
  }
  const result = nativeSyscall(registers);
  if (arena !== undefined && lent > 0) giveBack(arena, registers, args);
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

/** The FFI would pass NaN as 0, which is a descriptor, and round what is beyond 2^53: that takes a bigint. */
function requireInteger(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError(`system call argument out of range: ${value}`);
  return value;
}

/** How many bytes it takes at `at`; or, for a string that the kernel would not see as it is, the negated errno. */
function lend(bytes: Buffer, at: number, argument: string | Uint8Array): number {
  if (typeof argument !== 'string') {
    requireRoom(at + argument.length);
    bytes.set(argument, at);
    return argument.length;
  }
  if (argument.includes('\0')) return -errnoNumber('EINVAL');
  if (argument.length >= ARENA_BYTES) return -errnoNumber('ENAMETOOLONG');
  // A unit of UTF-16 takes three bytes at most; only where those might not fit are they worth counting.
  if (at + 3 * argument.length >= ARENA_BYTES) requireRoom(at + Buffer.byteLength(argument) + 1);
  const length = bytes.write(argument, at);
  bytes[at + length] = 0;
  return length + 1;
}

function requireRoom(end: number): void {
  if (end > ARENA_BYTES) throw new RangeError(`system call arguments of more than ${ARENA_BYTES} bytes`);
}

function giveBack(
  { address, bytes }: Mapping,
  registers: readonly NativeInteger[],
  args: readonly SyscallArgument[],
): void {
  for (let i = 0; i < args.length; i++) {
    const argument = args[i];
    if (!(argument instanceof Uint8Array)) continue;
    const at = Number(registers[i + 1]) - address;
    argument.set(bytes.subarray(at, at + argument.length));
  }
}
