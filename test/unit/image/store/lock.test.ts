import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Lock } from '../../../../image/store/lock.ts';
import { Scratch } from '../../../support/image/scratch.ts';

const MODULE = path.resolve(import.meta.dirname, '../../../../image/store/lock.ts');

/** Another process that holds a lock until it is killed. */
async function holder(file: string, mode: string): Promise<ChildProcess> {
  const script = `
    import { Lock } from ${JSON.stringify(MODULE)};
    const held = await Lock.acquire(${JSON.stringify(file)}, ${JSON.stringify(mode)});
    console.log('held');
    setInterval(() => held, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

describe('Lock', () => {
  it('is shared by many, or held by one', () => {
    using scratch = new Scratch();
    const file = scratch.join('lock');
    {
      using first = Lock.tryAcquire(file, 'shared');
      using second = Lock.tryAcquire(file, 'shared');
      expect([first, second]).not.toContain(undefined);
      expect(Lock.tryAcquire(file, 'exclusive')).toBeUndefined();
    }
    using alone = Lock.tryAcquire(file, 'exclusive');
    expect(alone).toBeDefined();
    expect(Lock.tryAcquire(file, 'shared')).toBeUndefined();
  });

  it('is waited for while other work goes on', async () => {
    using scratch = new Scratch();
    const file = scratch.join('lock');
    const held = await Lock.acquire(file, 'exclusive');
    const order: string[] = [];
    const waiting = Lock.acquire(file, 'exclusive').then((lock) => {
      order.push('acquired');
      lock[Symbol.dispose]();
    });
    await new Promise((resolve) => setImmediate(resolve));
    order.push('other work');
    held[Symbol.dispose]();
    await waiting;
    expect(order).toEqual(['other work', 'acquired']);
  });

  it('dies with a process that is killed', async () => {
    using scratch = new Scratch();
    const file = scratch.join('lock');
    const child = await holder(file, 'exclusive');
    expect(Lock.tryAcquire(file, 'shared')).toBeUndefined();
    child.kill('SIGKILL');
    using lock = await Lock.acquire(file, 'exclusive');
    expect(lock).toBeDefined();
  });
});
