import { describe, expect, it } from 'vitest';
import { MFD_CLOEXEC } from '../../../../sys/abi/constants.ts';
import { Fd } from '../../../../sys/fd.ts';
import { executeProgram } from '../../../../sys/plan/execute.ts';
import { PlanError } from '../../../../sys/plan/plan-error.ts';
import {
  addressOf,
  buffer,
  cString,
  Program,
  place,
  slot,
  type Width,
} from '../../../../sys/plan/program.ts';
import { syscall } from '../../../../sys/syscall.ts';

const BAD_FD = 999;

function failureOf(p: Program): PlanError {
  try {
    executeProgram(p);
  } catch (error) {
    if (error instanceof PlanError) return error;
    throw error;
  }
  throw new Error('the program came to its end');
}

describe('executeProgram()', () => {
  it('gives the slots at the end, those that were given included', () => {
    const p = new Program();
    const [left, sum] = [slot('left'), slot('sum')];
    p.set('sum', sum, left, 'add', 2);
    p.call('refused', 'close', [BAD_FD], { into: slot('result'), ignore: ['EBADF'] });
    expect(executeProgram(p, new Map([['left', 40]]))).toEqual(
      new Map([
        ['left', 40],
        ['sum', 42],
        ['result', -9],
      ]),
    );
  });

  it('goes round a loop', () => {
    const p = new Program();
    const count = slot('count');
    p.mark('again');
    p.set('count', count, count, 'add', 1);
    p.branch('enough', count, 'below', 1000, 'again');
    expect(executeProgram(p).get('count')).toBe(1000);
  });

  it('takes and keeps 64 bits exactly', () => {
    using file = new Fd(syscall('memfd_create', 'file', MFD_CLOEXEC));
    const far = (1n << 62n) + 1n;
    const p = new Program();
    const position = slot('position');
    p.call('seek', 'lseek', [file.number, far, 0], { into: position });
    p.branch('exact', position, 'equal', far, 'exact');
    p.fail('rounded', 'EDOM');
    p.mark('exact');
    p.call('seek from the end', 'lseek', [file.number, -1n, 1], { into: position });
    p.branch('exact', position, 'equal', far - 1n, 'end');
    p.fail('rounded', 'ERANGE');
    p.mark('end');
    expect(() => executeProgram(p)).not.toThrow();
  });

  it('hands strings and addresses of slots to the kernel', () => {
    using file = new Fd(syscall('memfd_create', 'file', MFD_CLOEXEC));
    const p = new Program();
    const word = slot('word');
    p.call('write', 'write', [file.number, cString('12345678'), 8]);
    p.call('read', 'pread64', [file.number, addressOf(word), 8, 0]);
    p.set('low', word, word, 'and', 0xffff);
    expect(executeProgram(p).get('word')).toBe(0x3231);
  });

  it('starts each program with buffers of zeros, whatever the one before left there', () => {
    const p = new Program();
    const [page, found] = [buffer('page', 4096), slot('found')];
    p.load('look', found, 8, place(page, 2048));
    p.store('spoil', 8, place(page, 2048), -1);
    for (let i = 0; i < 2; i++) expect(executeProgram(p).get('found')).toBe(0);
  });

  it('names the step that was refused, with its errno', () => {
    const p = new Program();
    p.report('not told to anyone', 1);
    p.call('close the door', 'close', [BAD_FD], { ignore: ['EIO'] });
    expect(failureOf(p)).toMatchObject({ step: 1, errno: 9, message: 'close the door: bad file descriptor' });
  });

  it('fails where the program says so', () => {
    const p = new Program();
    p.fail('give up', 'EPROTO', 'so it is');
    expect(failureOf(p)).toMatchObject({ step: 0, errno: 71, message: 'so it is' });
  });

  it("refuses to read or write beside the program's memory, to the byte", () => {
    for (const width of [1, 2, 4, 8] as const) {
      const at = (
        offset: number,
        steps: (p: Program, of: ReturnType<typeof slot>, w: Width) => void,
      ): Program => {
        const p = new Program();
        const pointer = slot('pointer');
        p.set('point', pointer, buffer('last of all', 4096), 'add', offset);
        steps(p, pointer, width);
        return p;
      };
      const load = (p: Program, from: ReturnType<typeof slot>, w: Width): void =>
        p.load('load', slot('x'), w, from);
      const store = (p: Program, to: ReturnType<typeof slot>, w: Width): void => p.store('store', w, to, 0);
      for (const access of [load, store]) {
        expect(() => executeProgram(at(4096 - width, access))).not.toThrow();
        expect(failureOf(at(4096 - width + 1, access))).toMatchObject({ step: 1, code: 'EFAULT' });
        expect(failureOf(at(-(2 ** 40), access))).toMatchObject({ step: 1, code: 'EFAULT' });
      }
    }
  });

  it('refuses a program that is larger than its memory', () => {
    const withBuffer = (bytes: number): Program => {
      const p = new Program();
      p.call('nothing', 'getpid', [buffer('big', bytes)]);
      return p;
    };
    expect(() => executeProgram(withBuffer(1024 * 1024))).toThrow('a program of more than 1048576 bytes');
    expect(() => executeProgram(withBuffer(1000 * 1024))).not.toThrow();
  });
});
