import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errnoName, errnoNumber, errnoText, isErrno, SysError } from '../../../sys/errno.ts';

const caught = (action: () => unknown): unknown => {
  try {
    return action();
  } catch (error) {
    return error;
  }
};

describe('SysError', () => {
  it('names the call, its subject in quotes and the reason', () => {
    const error = new SysError('open_tree', 2, '/nonexistent');
    expect(error.message).toBe('open_tree "/nonexistent": no such file or directory');
    expect(error).toMatchObject({ name: 'SysError', syscall: 'open_tree', errno: 2, code: 'ENOENT' });
  });

  it('does without a subject', () => {
    expect(new SysError('clone3', 11).message).toBe('clone3: resource temporarily unavailable');
  });

  it('quotes a subject so that control characters cannot reach a terminal', () => {
    expect(new SysError('mount', 22, '/a\u001b[2J\n').message).toBe(
      'mount "/a\\u001b[2J\\n": invalid argument',
    );
  });
});

describe('errnoName() and errnoText()', () => {
  it('know the errors that mounting and signatures bring and libuv does not', () => {
    expect([15, 117, 126, 129].map(errnoName)).toEqual(['ENOTBLK', 'EUCLEAN', 'ENOKEY', 'EKEYREJECTED']);
    expect(errnoText(117)).toBe('structure needs cleaning');
  });

  it('print a number that no header names as Go does', () => {
    expect([errnoName(524), errnoText(524)]).toEqual(['errno 524', 'errno 524']);
  });

  it('give back what errnoNumber() was given, or its first name', () => {
    expect(errnoName(errnoNumber('ELOOP'))).toBe('ELOOP');
    expect(errnoName(errnoNumber('EOPNOTSUPP'))).toBe('ENOTSUP');
    expect(errnoName(errnoNumber('EWOULDBLOCK'))).toBe('EAGAIN');
  });
});

describe('isErrno()', () => {
  it('serves for our errors and for those of node:fs', () => {
    const fromFs = caught(() => readFileSync('/nonexistent'));
    expect(isErrno(fromFs, 'ENOENT')).toBe(true);
    expect(isErrno(fromFs, 'EACCES')).toBe(false);
    expect(isErrno(new SysError('open', 2), 'EACCES', 'ENOENT')).toBe(true);
  });

  it('takes either name of a number that has two', () => {
    expect(isErrno(new SysError('setxattr', 95), 'EOPNOTSUPP')).toBe(true);
    expect(isErrno(new SysError('setxattr', 95), 'ENOTSUP')).toBe(true);
    expect(isErrno(new SysError('setxattr', 61), 'EOPNOTSUPP')).toBe(false);
  });

  it('is false for what is not an error with a code', () => {
    for (const other of [undefined, null, 'ENOENT', new Error('ENOENT'), { code: 'ENOENT' }]) {
      expect(isErrno(other, 'ENOENT')).toBe(false);
    }
  });
});
