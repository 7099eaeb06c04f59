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
  const number = syscallNumber(name, HOST_ARCHITECTURE);
  if (args.every((argument) => typeof argument === 'number')) {
    return nativeSyscall([number, ...args.map(requireInteger)]);
  }
  const refusal = args.find(isUntellable);
  if (refusal !== undefined) return -errnoNumber(refusal.includes('\0') ? 'EINVAL' : 'ENAMETOOLONG');
  const lent = lend(args);
  const result = nativeSyscall([number, ...lent.registers]);
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

const isUntellable = (argument: SyscallArgument): argument is string =>
  typeof argument === 'string' && (argument.includes('\0') || argument.length >= ARENA_BYTES);

interface Lent {
  readonly registers: readonly NativeInteger[];
  giveBack(): void;
}

function lend(args: readonly SyscallArgument[]): Lent {
  arena ??= mapMemory(ARENA_BYTES);
  const { address, bytes } = arena;
  const buffers: { readonly owner: Uint8Array; readonly at: number }[] = [];
  let end = 0;
  const registers = args.map((argument) => {
    if (typeof argument === 'number') return requireInteger(argument);
    if (typeof argument === 'bigint') return BigInt.asIntN(64, argument);
    const at = end;
    const length = typeof argument === 'string' ? Buffer.byteLength(argument) + 1 : argument.length;
    end = (at + length + 7) & ~7;
    if (end > ARENA_BYTES) throw new RangeError(`system call arguments of more than ${ARENA_BYTES} bytes`);
    if (typeof argument === 'string') {
      bytes[at + bytes.write(argument, at)] = 0;
    } else {
      bytes.set(argument, at);
      buffers.push({ owner: argument, at });
    }
    return address + at;
  });
  return {
    registers,
    giveBack: () => {
      for (const { owner, at } of buffers) owner.set(bytes.subarray(at, at + owner.length));
    },
  };
}

/** The FFI would pass NaN as 0, which is a descriptor, and round what is beyond 2^53: that takes a bigint. */
function requireInteger(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError(`system call argument out of range: ${value}`);
  return value;
}
