import { describe, expect, it } from 'vitest';
import { isErrno } from '../../../../sys/errno.ts';
import { PlanError } from '../../../../sys/plan/plan-error.ts';
import { cString, Program } from '../../../../sys/plan/program.ts';

function program(): Program {
  const p = new Program();
  p.call('mount "proc" at "/proc"', 'mount', [cString('proc')]);
  p.call('execute "/bin/x"', 'execve', [], { failure: 'exec /bin/x: no such file or directory' });
  p.fail('unsupported root', 'EINVAL', 'the root is not a directory');
  return p;
}

describe('PlanError', () => {
  it('says what was attempted and what the kernel said', () => {
    const error = new PlanError(program(), 0, 13);
    expect(error.message).toBe('mount "proc" at "/proc": permission denied');
    expect(error).toMatchObject({ name: 'PlanError', step: 0, label: 'mount "proc" at "/proc"', errno: 13 });
    expect(isErrno(error, 'EACCES')).toBe(true);
  });

  it('says what the plan fixed instead, and keeps label and errno', () => {
    const error = new PlanError(program(), 1, 2);
    expect(error.message).toBe('exec /bin/x: no such file or directory');
    expect(error).toMatchObject({ label: 'execute "/bin/x"', code: 'ENOENT' });
    expect(new PlanError(program(), 2, 22).message).toBe('the root is not a directory');
  });

  it('names a step that the plan does not have', () => {
    expect(new PlanError(program(), 3, 0).message).toBe('step 3, past the end of the plan: errno 0');
  });
});
