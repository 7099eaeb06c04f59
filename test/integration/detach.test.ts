import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { until } from '../support/child.ts';
import { TestHost } from '../support/host.ts';
import { startSleeping, untilStatus } from '../support/running.ts';

describe('run --detach', () => {
  it('returns while the container runs', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    expect((await host.runtime.state(id)).status).toBe('running');
  });

  it('leaves no process of the runtime behind', async () => {
    await using host = await TestHost.open();
    const { pid } = await host.runtime.state(await startSleeping(host));
    const left = (await host.differences()).filter((line) => line.startsWith('+ process:'));
    expect(left).toEqual([`+ process: ${pid} /bin/probe sleep`]);
  });

  it('keeps the container that has ended until it is deleted', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/probe', 'exit', '3'];
    });
    expect((await host.runtime.run(id, bundle, { flags: ['-d'] })).status).toBe(0);
    await untilStatus(host, id, 'stopped');
    expect((await host.runtime.delete(id)).status).toBe(0);
  });

  it('gives the process the descriptors of the caller as they are', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/probe', 'fds'];
    });
    const child = host.runtime.startRun(host.id(), bundle, { flags: ['--detach'] });
    expect((await child.finished).status).toBe(0);
    const text = await until('the report', () => child.stdout().endsWith('}\n') && child.stdout());
    const { descriptors } = JSON.parse(text) as { descriptors: { number: number; type: string }[] };
    expect(descriptors.map(({ number, type }) => [number, type])).toEqual([
      [0, 'character'],
      [1, 'file'],
      [2, 'file'],
    ]);
  });

  it('does not make the container a child of the runtime that stays', async () => {
    await using host = await TestHost.open();
    const { pid } = await host.runtime.state(await startSleeping(host));
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const parent = Number(/^PPid:\t(\d+)$/m.exec(status)?.[1]);
    expect(readFileSync(`/proc/${parent}/cmdline`, 'utf8')).not.toContain(host.scratch);
  });
});
