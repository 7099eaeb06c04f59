import { describe, expect, it } from 'vitest';
import { HOST_ARCHITECTURE } from '../../../sys/abi/fcntl.ts';
import { syscallNumber } from '../../../sys/abi/syscalls.ts';
import { libcFunction, mapMemory, nativeSyscall, nativeSyscallExact } from '../../../sys/ffi.ts';

const number = (name: Parameters<typeof syscallNumber>[0]): number => syscallNumber(name, HOST_ARCHITECTURE);

describe('mapMemory()', () => {
  it('gives zeroed pages that the kernel sees at their address', () => {
    const { address, bytes } = mapMemory(8192);
    expect(address % 4096).toBe(0);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    bytes.write('/\0', 4096);
    const fd = nativeSyscall([number('openat'), -100, address + 4096, 0o2000000]);
    expect(fd).toBeGreaterThan(2);
    expect(nativeSyscall([number('getcwd'), address, 4096])).toBe(process.cwd().length + 1);
    expect(bytes.toString('utf8', 0, process.cwd().length)).toBe(process.cwd());
    expect(nativeSyscall([number('close'), fd])).toBe(0);
  });

  it('gives memory of its own each time', () => {
    const [one, other] = [mapMemory(4096), mapMemory(4096)];
    one.bytes.fill(1);
    expect(other.bytes.every((byte) => byte === 0)).toBe(true);
  });

  it('says what the kernel refuses', () => {
    expect(() => mapMemory(2 ** 50)).toThrow(/^mmap "1125899906842624 bytes": cannot allocate memory$/);
    expect(() => mapMemory(0)).toThrow(/^mmap "0 bytes": invalid argument$/);
  });
});

describe('nativeSyscall()', () => {
  it('gives the result or the negated errno', () => {
    expect(nativeSyscall([number('getpid')])).toBe(process.pid);
    expect(nativeSyscall([number('close'), -1])).toBe(-9);
    expect(nativeSyscallExact([number('close'), -1])).toBe(-9n);
    expect(nativeSyscallExact([number('getpid')])).toBe(BigInt(process.pid));
  });

  it('says that a call is unknown, as the kernel does', () => {
    expect(nativeSyscall([100_000])).toBe(-38);
  });
});

describe('libcFunction()', () => {
  it('gives an int, sign and all', () => {
    expect(libcFunction('abs', [-42])).toBe(42);
    expect(libcFunction('getpriority', [0, 1 << 30])).toBe(-1);
  });
});
