import { readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AT_FDCWD, MFD_CLOEXEC } from '../../../sys/abi/constants.ts';
import { errnoName, SysError } from '../../../sys/errno.ts';
import { Fd } from '../../../sys/fd.ts';
import { mapMemory } from '../../../sys/ffi.ts';
import { type SyscallArgument, syscall, syscallInThread, trySyscall } from '../../../sys/syscall.ts';

const memoryFile = (): Fd => new Fd(syscall('memfd_create', 'file', MFD_CLOEXEC));
const ARENA_BYTES = 256 * 1024;
const BAD_FD = 999;

const errnoOf = (name: Parameters<typeof trySyscall>[0], ...args: readonly SyscallArgument[]): string => {
  const result = trySyscall(name, ...args);
  return result < 0 ? errnoName(-result) : 'done';
};

describe('syscall()', () => {
  it('lends strings and buffers to one call, and gives back what the kernel wrote', () => {
    const target = new Uint8Array(256);
    const length = syscall('readlinkat', AT_FDCWD, '/proc/self/exe', target, target.length);
    expect(Buffer.from(target.subarray(0, length)).toString()).toBe(readlinkSync('/proc/self/exe'));
    expect(target.subarray(length).every((byte) => byte === 0)).toBe(true);
  });

  it('writes to the part of a buffer that it is given, and nowhere else', () => {
    const whole = new Uint8Array(64).fill(0xee);
    syscall('getcwd', whole.subarray(3, 60), 57);
    expect([...whole.subarray(0, 3), ...whole.subarray(60)]).toEqual(Array(7).fill(0xee));
    expect(Buffer.from(whole.subarray(3)).toString('utf8', 0, process.cwd().length)).toBe(process.cwd());
  });

  it('keeps several buffers of odd lengths apart', () => {
    using file = memoryFile();
    syscall('write', file.number, new TextEncoder().encode('abcdefg'), 7);
    const [first, second] = [new Uint8Array(3).fill(1), new Uint8Array(5).fill(2)];
    // copy_file_range's offsets are in and out at once.
    const offsets = [new Uint8Array(8), new Uint8Array(8)] as const;
    offsets[0][0] = 2;
    offsets[1][0] = 100;
    expect(syscall('copy_file_range', file.number, offsets[0], file.number, offsets[1], 4, 0)).toBe(4);
    expect([offsets[0][0], offsets[1][0]]).toEqual([6, 104]);
    expect(syscall('pread64', file.number, first, 3, 0)).toBe(3);
    expect(syscall('pread64', file.number, second, 5, 100)).toBe(4);
    expect([...first, ...second]).toEqual([97, 98, 99, 99, 100, 101, 102, 2]);
  });

  it('takes 64 bits as bigints, signed or not', () => {
    using file = memoryFile();
    expect(syscall('lseek', file.number, 1n << 52n, 0)).toBe(2 ** 52);
    expect(errnoOf('lseek', file.number, -1n, 0)).toBe('EINVAL');
    expect(errnoOf('lseek', file.number, (1n << 64n) - 1n, 0)).toBe('EINVAL');
  });

  it('moves as much as one call may take', () => {
    using file = memoryFile();
    const data = new Uint8Array(ARENA_BYTES).map((_, index) => index % 251);
    expect(syscall('write', file.number, data, data.length)).toBe(data.length);
    const back = new Uint8Array(ARENA_BYTES);
    expect(syscall('pread64', file.number, back, back.length, 0)).toBe(data.length);
    expect(Buffer.compare(back, data)).toBe(0);
  });

  it('throws the refusal with the call and its first string', () => {
    expect(() => syscall('openat', AT_FDCWD, '/nonexistent', 0, 0)).toThrow(
      new SysError('openat', 2, '/nonexistent'),
    );
    expect(() => syscall('newfstatat', BAD_FD, '', new Uint8Array(256), 0x1000)).toThrow(
      /^newfstatat: bad file descriptor$/,
    );
  });
});

describe('trySyscall() refuses', () => {
  it('a string with a NUL, which the kernel would take for a shorter one', () => {
    expect(errnoOf('openat', AT_FDCWD, '/dev\0/null', 0, 0)).toBe('EINVAL');
    expect(errnoOf('openat', AT_FDCWD, '/dev', 0, 0)).toBe('done');
    expect(() => syscall('openat', AT_FDCWD, '/dev\0/null', 0, 0)).toThrow(
      'openat "/dev\\u0000/null": invalid argument',
    );
  });

  it('a path longer than any, as the kernel does', () => {
    expect(errnoOf('openat', AT_FDCWD, 'x/'.repeat(4096), 0, 0)).toBe('ENAMETOOLONG');
    expect(errnoOf('openat', AT_FDCWD, 'x'.repeat(10 * 1024 * 1024), 0, 0)).toBe('ENAMETOOLONG');
  });

  it('arguments that together exceed what one call may take', () => {
    const half = new Uint8Array(ARENA_BYTES / 2);
    expect(() => trySyscall('write', BAD_FD, half, half, new Uint8Array(1))).toThrow(RangeError);
    expect(errnoOf('write', BAD_FD, half, half)).toBe('EBADF');
    // Longer in UTF-8 than in UTF-16 units.
    expect(() => trySyscall('openat', AT_FDCWD, 'ä'.repeat(ARENA_BYTES - 1), 0, 0)).toThrow(RangeError);
  });

  it('numbers that are no integers, of which some would become descriptor 0', () => {
    for (const wrong of [Number.NaN, 0.5, 2 ** 53, Number.POSITIVE_INFINITY]) {
      expect(() => trySyscall('fsync', wrong)).toThrow(RangeError);
      expect(() => trySyscall('openat', AT_FDCWD, '/', wrong, 0)).toThrow(RangeError);
    }
  });
});

describe('syscallInThread()', () => {
  it('lets JavaScript go on while it blocks', async () => {
    const pair = new Int32Array(2);
    syscall('pipe2', new Uint8Array(pair.buffer), 0o2000000);
    using reader = new Fd(pair[0] ?? -1);
    using writer = new Fd(pair[1] ?? -1);
    const { address, bytes } = mapMemory(4096);
    const read = syscallInThread('read', reader.number, address, 4096);
    expect(syscall('write', writer.number, new TextEncoder().encode('late'), 4)).toBe(4);
    expect(await read).toBe(4);
    expect(bytes.toString('utf8', 0, 4)).toBe('late');
  });

  it("gives its own thread's errno, while this one has others", async () => {
    const calls = Array.from({ length: 40 }, (_, i) =>
      i % 2 === 0 ? syscallInThread('close', BAD_FD) : syscallInThread('lseek', 0x7fffffff, 0, 99),
    );
    const here = Array.from({ length: 400 }, () => errnoOf('openat', AT_FDCWD, '/nonexistent', 0, 0));
    expect(new Set(here)).toEqual(new Set(['ENOENT']));
    expect(new Set(await Promise.all(calls))).toEqual(new Set([-9]));
    const refused = syscallInThread('kill', 1, 9999);
    expect(errnoOf('close', BAD_FD)).toBe('EBADF');
    expect(errnoName(-(await refused))).toBe('EINVAL');
  });
});
