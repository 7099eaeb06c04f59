import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TestHost } from '../support/host.ts';

describe('--pid-file', () => {
  it('of create holds the pid in digits, without a newline', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    const file = host.path('pid');
    expect((await host.runtime.create(id, host.bundle(), { flags: ['--pid-file', file] })).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(`${(await host.runtime.state(id)).pid}`);
    expect(statSync(file).mode & 0o777).toBe(0o644);
  });

  it('of run is there for a detached container', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    const file = host.path('pid');
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/probe', 'sleep'];
    });
    expect((await host.runtime.run(id, bundle, { flags: ['--detach', '--pid-file', file] })).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(`${(await host.runtime.state(id)).pid}`);
  });

  it('is relative to the directory of the caller, not to the bundle', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    const argv = host.runtime.argv('create', [id], {
      flags: ['-b', host.bundle().directory, '--pid-file', 'pid'],
    });
    const here = argv.map((word) => (word === '--wdns=/' ? `--wdns=${host.scratch}` : word));
    expect((await host.spawn(here, 'create').finished).status).toBe(0);
    expect(readFileSync(host.path('pid'), 'utf8')).toMatch(/^\d+$/);
  });

  it('replaces what is there, a link included, without following it', async () => {
    await using host = await TestHost.open();
    const victim = host.path('victim');
    writeFileSync(victim, 'kept');
    symlinkSync(victim, host.path('pid'));
    const outcome = await host.runtime.create(host.id(), host.bundle(), {
      flags: ['--pid-file', host.path('pid')],
    });
    expect(outcome.status).toBe(0);
    expect(readFileSync(victim, 'utf8')).toBe('kept');
    expect(readFileSync(host.path('pid'), 'utf8')).toMatch(/^\d+$/);
  });

  it('that cannot be written makes create fail, with nothing left', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    const outcome = await host.runtime.create(id, host.bundle(), {
      flags: ['--pid-file', host.path('missing/pid')],
    });
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('no such file or directory');
    expect(await host.differences()).toEqual([]);
  });
});
