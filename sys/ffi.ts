// The one importer of ffi-rs: native calls with numbers for arguments, and memory whose address is known.
import type { DataType, JsExternal } from 'ffi-rs';
import { SysError } from './errno.ts';

type Addon = typeof import('ffi-rs');

const LIBC = 'libc';

interface Native {
  readonly addon: Addon;
  readonly types: Addon['DataType'];
  /** The types of so many numbers: made once, since most calls have nothing else. */
  readonly numbers: readonly DataType[][];
}

let opened: Native | undefined;

/** Loaded by the first call: a command that asks the kernel for nothing of its own does not pay for it. */
function native(): Native {
  if (opened !== undefined) return opened;
  const addon = loadAddon();
  addon.open({ library: LIBC, path: 'libc.so.6' });
  const types = addon.DataType;
  opened = { addon, types, numbers: Array.from({ length: 8 }, (_, length) => Array(length).fill(types.I64)) };
  return opened;
}

/** A register's value. What a number would round is a bigint. */
export type NativeInteger = number | bigint;

/**
 * `import 'ffi-rs'` takes 4.3 ms, most of it for a diagnostic report that tells glibc from musl. Its native part is all
 * that is used here, and loads in 0.4 ms from where npm puts it for sys/ and dist/: among our own modules, or beside
 * hull among those of another package. Elsewhere ffi-rs finds it.
 */
function loadAddon(): Addon {
  const target = `linux-${process.arch}-gnu`;
  const file = `@yuuang/ffi-rs-${target}/ffi-rs.${target}.node`;
  return (
    tryLoad(`${import.meta.dirname}/../node_modules/${file}`) ??
    tryLoad(`${import.meta.dirname}/../../${file}`) ??
    process.getBuiltinModule('node:module').createRequire(import.meta.filename)('ffi-rs')
  );
}

/** undefined where it cannot be loaded: ffi-rs then says why, if it has no other either. */
function tryLoad(file: string): Addon | undefined {
  const module: { exports: unknown } = { exports: {} };
  try {
    process.dlopen(module, file);
    return module.exports as Addon;
  } catch {
    return undefined;
  }
}

/** `errnoCode` is read by ffi-rs right after the call, in the thread that made it. */
interface Result {
  readonly value: number;
  readonly errnoCode: number;
}

const settle = (result: Result): number => (result.value === -1 ? -result.errnoCode : result.value);

function typesOf(args: readonly NativeInteger[]): DataType[] {
  const { types, numbers } = native();
  for (let i = 0; i < args.length; i++) {
    if (typeof args[i] === 'bigint')
      return args.map((arg) => (typeof arg === 'bigint' ? types.BigInt : types.I64));
  }
  return numbers[args.length] ?? args.map(() => types.I64);
}

const call = <const R extends DataType, const E extends boolean>(
  funcName: string,
  retType: R,
  args: readonly NativeInteger[],
  errno: E,
) => ({
  library: LIBC,
  funcName,
  retType,
  paramsType: typesOf(args),
  paramsValue: args as NativeInteger[],
  errno,
  freeResultMemory: false, // results are numbers, or memory that mapMemory() keeps
});

/** syscall(2): the result, or the negated errno. `args[0]` is the call's number; addresses are numbers. */
export function nativeSyscall(args: readonly NativeInteger[]): number {
  const { addon, types } = native();
  return settle(addon.load(call('syscall', types.I64, args, true)));
}

/** The same, with a result beyond 2^53 as it is. */
export function nativeSyscallExact(args: readonly NativeInteger[]): bigint {
  const { addon, types } = native();
  const { value, errnoCode } = addon.load(call('syscall', types.BigInt, args, true));
  return value === -1n ? BigInt(-errnoCode) : (value as bigint); // ffi-rs declares the object type
}

/** {@link nativeSyscall} on a thread of its own, for a call that blocks while JavaScript goes on. */
export async function nativeSyscallInThread(args: readonly NativeInteger[]): Promise<number> {
  const { addon, types } = native();
  return settle(
    await addon.load({ ...call('syscall', types.I64, args, true), runInNewThread: true as const }),
  );
}

/** A function of libc that takes integers and returns an int. */
export function libcFunction(name: string, args: readonly NativeInteger[]): number {
  const { addon, types } = native();
  return addon.load(call(name, types.I32, args, false));
}

/**
 * _exit(2): ends the process with nothing flushed and nothing cleaned up, which in Node takes 0.7 ms. Returns where no
 * native call was made yet, since loading the addon would take as long.
 */
export function exitAtOnce(status: number): void {
  if (opened !== undefined) libcFunction('_exit', [status]);
}

export interface Mapping {
  readonly address: number;
  readonly bytes: Buffer;
}

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/** Anonymous memory that JavaScript and the kernel both see; never unmapped, since views of it stay alive. */
export function mapMemory(bytes: number): Mapping {
  const { addon, types } = native();
  const mmap = call('mmap', types.I64, [0, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0], true);
  const address = settle(addon.load(mmap));
  if (address < 0) throw new SysError('mmap', -address, `${bytes} bytes`);
  return { address, bytes: addon.createExternalBuffer(pointerTo(address), bytes) };
}

/** memmove(p, p, 0) touches nothing and gives back p, as the type asked for. */
function pointerTo(address: number): JsExternal {
  const { addon, types } = native();
  return addon.load(call('memmove', types.External, [address, address, 0], false));
}
