// The one importer of ffi-rs: native calls with numbers for arguments, and memory whose address is known.
import { createExternalBuffer, DataType, type JsExternal, load, open } from 'ffi-rs';

const LIBC = 'libc';
open({ library: LIBC, path: 'libc.so.6' });

const { I32, I64, External } = DataType;
const SIX_ARGUMENTS = [I64, I64, I64, I64, I64, I64, I64];

/** `errnoCode` is read by ffi-rs right after the call, in the thread that made it. */
interface Result {
  readonly value: number;
  readonly errnoCode: number;
}

const settle = (result: Result): number => (result.value === -1 ? -result.errnoCode : result.value);

const params = (args: readonly number[]) =>
  ({
    library: LIBC,
    funcName: 'syscall',
    retType: I64,
    paramsType: SIX_ARGUMENTS.slice(0, args.length),
    paramsValue: args as number[],
    errno: true,
  }) as const;

/** syscall(2): the result, or the negated errno. `args[0]` is the call's number; addresses are numbers. */
export function nativeSyscall(args: readonly number[]): number {
  return settle(load(params(args)));
}

/** The same on a thread of its own, for a call that blocks while JavaScript goes on. */
export async function nativeSyscallInThread(args: readonly number[]): Promise<number> {
  return settle(await load({ ...params(args), runInNewThread: true }));
}

/** A function of libc that takes numbers and returns an int. */
export function libcFunction(name: string, args: readonly number[]): number {
  return load({
    library: LIBC,
    funcName: name,
    retType: I32,
    paramsType: args.map(() => I64),
    paramsValue: args as number[],
  });
}

export interface Mapping {
  readonly address: number;
  readonly bytes: Buffer;
}

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/** Anonymous memory that JavaScript and the kernel both see; never unmapped, since views of it stay alive. */
export function mapMemory(bytes: number): Mapping {
  const pointer = load({
    library: LIBC,
    funcName: 'mmap',
    retType: External,
    paramsType: SIX_ARGUMENTS.slice(0, 6),
    paramsValue: [0, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0],
  });
  const view = createExternalBuffer(pointer, bytes);
  return { address: addressOf(pointer), bytes: view };
}

/** memchr(p, 0, 1) of zeroed memory gives back p itself, as a number. */
function addressOf(pointer: JsExternal): number {
  return load({
    library: LIBC,
    funcName: 'memchr',
    retType: I64,
    paramsType: [External, I32, I64],
    paramsValue: [pointer, 0, 1],
  });
}
