import { describe, expect, it } from 'vitest';
import { until } from '../support/child.ts';
import { TestHost } from '../support/host.ts';
import { createSleeping, startSleeping, untilStatus } from '../support/running.ts';

describe('start', () => {
  it('makes the created process the program, with the same pid', async () => {
    await using host = await TestHost.open();
    const id = await createSleeping(host);
    const { pid } = await host.runtime.state(id);
    expect(await host.runtime.start(id)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await host.runtime.state(id)).toMatchObject({ status: 'running', pid });
  });

  it('lets the program write to what create had as its standard output', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/probe', 'lines', '1'];
    });
    const child = host.runtime.spawn('create', [id], { flags: ['-b', bundle.directory] });
    expect((await child.finished).status).toBe(0);
    expect((await host.runtime.start(id)).status).toBe(0);
    await until('the output', () => child.stdout() === 'out 0\n' && child.stderr() === 'err 0\n');
  });

  it('refuses a container that runs', async () => {
    await using host = await TestHost.open();
    const outcome = await host.runtime.start(await startSleeping(host));
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('cannot start an already running container');
  });

  it('refuses a container that has stopped', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    await host.runtime.kill(id, 'KILL');
    await untilStatus(host, id, 'stopped');
    const outcome = await host.runtime.start(id);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('cannot start a container that has stopped');
  });

  it('leaves a stopped container when the program has ended at once', async () => {
    await using host = await TestHost.open();
    const id = await createSleeping(host, (config) => {
      config.process.args = ['/bin/true'];
    });
    expect((await host.runtime.start(id)).status).toBe(0);
    await untilStatus(host, id, 'stopped');
    expect(await host.runtime.state(id)).toMatchObject({ status: 'stopped', pid: 0 });
  });
});
