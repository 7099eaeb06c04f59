import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explain, RuntimeError } from '../../../runtime/errors.ts';
import { SysError } from '../../../sys/errno.ts';

function thrownBy(act: () => void): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('explain()', () => {
  it('puts what was being done first and what the kernel said last', () => {
    const refused = new SysError('mount', 1, '/proc');
    const error = new RuntimeError('MOUNT', 'cannot make the root file system', { cause: refused });
    expect(explain(error)).toBe('cannot make the root file system: mount "/proc": operation not permitted');
  });

  it("words an error of node:fs as the kernel's refusals are worded", () => {
    const error = thrownBy(() => readFileSync('/nonexistent/file'));
    expect(explain(error)).toBe('open "/nonexistent/file": no such file or directory');
  });

  it('prints what is not an error as it is', () => {
    expect(explain('a string')).toBe('a string');
    expect(explain(undefined)).toBe('undefined');
  });
});

describe('RuntimeError', () => {
  it('has a cause only where there is one', () => {
    expect('cause' in new RuntimeError('CODE', 'message')).toBe(false);
    expect(new RuntimeError('CODE', 'message', { cause: 5 }).cause).toBe(5);
  });
});
