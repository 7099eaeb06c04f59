import { existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { itExcept } from '../support/claim.ts';
import { shareNamespace } from '../support/config.ts';
import { TestHost } from '../support/host.ts';
import { createSleeping, startSleeping, untilStatus } from '../support/running.ts';

describe('delete', () => {
  it('removes a container that has stopped', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    await host.runtime.kill(id, 'KILL');
    await untilStatus(host, id, 'stopped');
    expect(await host.runtime.delete(id)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect((await host.runtime.call('state', [id])).stderr).toContain('container does not exist');
    expect(await host.differences()).toEqual([]);
  });

  it('refuses a container that runs, and leaves it running', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const outcome = await host.runtime.delete(id);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain(`cannot delete container ${id} that is not stopped: running`);
    expect((await host.runtime.state(id)).status).toBe('running');
  });

  it('kills and removes a container that runs, with --force', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host, (config) => {
      config.process.args = ['/bin/probe', 'ignore-term'];
    });
    expect((await host.runtime.delete(id, { flags: ['--force'] })).status).toBe(0);
    expect(await host.differences()).toEqual([]);
  });

  it('removes the other processes of a shared pid namespace, with --force', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host, (config) => {
      config.process.args = ['/bin/probe', 'orphan'];
      shareNamespace(config, 'pid');
    });
    expect((await host.runtime.delete(id, { flags: ['-f'] })).status).toBe(0);
    expect(await host.differences()).toEqual([]);
  });

  it('says that a container does not exist', async () => {
    await using host = await TestHost.open();
    const outcome = await host.runtime.delete(host.id());
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('container does not exist');
  });

  it('accepts with --force that a container does not exist', async () => {
    await using host = await TestHost.open();
    expect(await host.runtime.delete(host.id(), { flags: ['--force'] })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  it('lets the name be used again', async () => {
    await using host = await TestHost.open();
    const id = await createSleeping(host);
    await host.runtime.delete(id);
    expect((await host.runtime.create(id, host.bundle())).status).toBe(0);
  });

  it('removes with --force what a create that died early has left', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    const directory = path.join(host.runtime.root, id);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    expect((await host.runtime.delete(id, { flags: ['--force'] })).status).toBe(0);
    expect(existsSync(directory)).toBe(false);
  });

  for (const [what, damage] of [
    ['empty', (file: string) => truncateSync(file)],
    ['not JSON', (file: string) => writeFileSync(file, '{"id":')],
  ] as const) {
    // runc before 1.2 stops at a state that it cannot read.
    itExcept('runc 1.1.5')(`removes with --force a container whose state is ${what}`, async () => {
      await using host = await TestHost.open();
      const id = await createSleeping(host);
      await host.runtime.kill(id, 'KILL');
      await untilStatus(host, id, 'stopped');
      damage(path.join(host.runtime.root, id, 'state.json'));
      await host.runtime.delete(id, { flags: ['--force'] });
      expect(existsSync(path.join(host.runtime.root, id))).toBe(false);
    });
  }
});
