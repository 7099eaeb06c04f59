import { describe, expect, it } from 'vitest';
import { TestHost } from '../support/host.ts';
import { createSleeping, startSleeping, untilStatus } from '../support/running.ts';

const RFC3339_NANO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z$/;

describe('state', () => {
  it("prints the keys in runc's order, indented by two spaces, without a final newline", async () => {
    await using host = await TestHost.open();
    const id = await createSleeping(host, (config) => {
      config.annotations = { 'org.example.b': '2', 'org.example.a': '1' };
    });
    const { status, stdout, stderr } = await host.runtime.call('state', [id]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const state = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(state)).toEqual([
      'ociVersion',
      'id',
      'pid',
      'status',
      'bundle',
      'rootfs',
      'created',
      'annotations',
      'owner',
    ]);
    expect(stdout).toBe(JSON.stringify(state, null, 2));
  });

  it('says what the specification asks for', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    const bundle = host.bundle((config) => {
      config.annotations = { 'org.example.key': 'value with "quotes" and \u00fc' };
    });
    await host.runtime.create(id, bundle);
    const state = await host.runtime.state(id);
    expect(state).toMatchObject({
      id,
      status: 'created',
      bundle: bundle.directory,
      rootfs: bundle.rootfs,
      annotations: { 'org.example.key': 'value with "quotes" and \u00fc' },
      owner: '',
    });
    expect(state.ociVersion).toMatch(/^1\.\d+\.\d+/);
    expect(state.created).toMatch(RFC3339_NANO);
    const age = Date.now() - Date.parse(state.created);
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(30_000);
  });

  it('leaves out annotations where there are none', async () => {
    await using host = await TestHost.open();
    const state = await host.runtime.state(await createSleeping(host));
    expect('annotations' in state).toBe(false);
  });

  it('follows the container: created, running, stopped', async () => {
    await using host = await TestHost.open();
    const id = await createSleeping(host);
    const created = await host.runtime.state(id);
    expect(created.status).toBe('created');
    await host.runtime.start(id);
    expect(await host.runtime.state(id)).toEqual({ ...created, status: 'running' });
    await host.runtime.kill(id, 'KILL');
    await untilStatus(host, id, 'stopped');
    expect(await host.runtime.state(id)).toEqual({ ...created, status: 'stopped', pid: 0 });
  });

  it('says running while the process is stopped by a signal', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    await host.runtime.kill(id, 'STOP');
    expect((await host.runtime.state(id)).status).toBe('running');
  });

  it('does not know the containers of another root', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const other = host.runtime
      .argv('state', [id])
      .map((word) => (word === host.runtime.root ? host.path('other') : word));
    const outcome = await host.spawn(other, 'other-root').finished;
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('container does not exist');
  });
});
