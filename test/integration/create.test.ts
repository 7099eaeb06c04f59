import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { until } from '../support/child.ts';
import { TestHost } from '../support/host.ts';
import { insideNamespace } from '../support/mount-namespace.ts';
import { parseReport } from '../support/probe-report.ts';
import { mountIds } from '../support/processes.ts';
import { createSleeping } from '../support/running.ts';

describe('create', () => {
  it('leaves a process that has not become the program yet', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    const child = host.runtime.spawn('create', [id], { flags: ['-b', host.bundle().directory] });
    expect((await child.finished).status).toBe(0);
    const state = await host.runtime.state(id);
    expect(state).toMatchObject({ id, status: 'created' });
    expect(existsSync(`/proc/${state.pid}`)).toBe(true);
    expect(readFileSync(`/proc/${state.pid}/cmdline`, 'utf8')).not.toContain('probe');
    expect(child.stdout()).toBe('');
  });

  it('has put the process in namespaces of its own', async () => {
    await using host = await TestHost.open();
    const { pid } = await host.runtime.state(await createSleeping(host));
    for (const name of ['mnt', 'pid', 'net', 'ipc', 'uts']) {
      const link = readlinkSync(`/proc/${pid}/ns/${name}`);
      expect(link, name).not.toBe(readlinkSync(`/proc/self/ns/${name}`));
    }
    expect(readlinkSync(`/proc/${pid}/ns/user`)).toBe(readlinkSync('/proc/self/ns/user'));
  });

  it('gives the process no descriptor of a directory or file of the host', async () => {
    await using host = await TestHost.open();
    const { pid } = await host.runtime.state(await createSleeping(host));
    const own = mountIds(pid);
    const foreign = readdirSync(`/proc/${pid}/fd`).filter((fd) => !own.has(mountOf(pid, fd)));
    const links = foreign.map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    const expected = [
      host.runtime.root,
      '/dev/null',
      host.scratch,
      insideNamespace(host.namespacePid, '/dev/null'),
    ];
    const paths = links.filter(
      (link) => link.startsWith('/') && !expected.some((place) => link.startsWith(place)),
    );
    expect(paths.filter((link) => !isThrowaway(link))).toEqual([]);
  });

  it('refuses an id that is taken', async () => {
    await using host = await TestHost.open();
    const id = await createSleeping(host);
    const outcome = await host.runtime.create(id, host.bundle());
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('container with given ID already exists');
    expect((await host.runtime.state(id)).status).toBe('created');
  });

  it('keeps its own copy of the configuration', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/probe', 'report', 'first'];
    });
    const child = host.runtime.spawn('create', [id], { flags: ['-b', bundle.directory] });
    expect((await child.finished).status).toBe(0);
    bundle.configure((config) => {
      config.process.args = ['/bin/probe', 'report', 'second'];
    });
    expect((await host.runtime.start(id)).status).toBe(0);
    const text = await until('the report', () => child.stdout().endsWith('}\n') && child.stdout());
    expect(parseReport(text).argv).toEqual(['/bin/probe', 'report', 'first']);
  });

  it('is undone by delete, without force', async () => {
    await using host = await TestHost.open();
    const id = await createSleeping(host);
    const { pid } = await host.runtime.state(id);
    expect(await host.runtime.delete(id)).toMatchObject({ status: 0, stderr: '' });
    expect(isRunning(pid)).toBe(false);
  });
});

function mountOf(pid: number, fd: string): string {
  return /^mnt_id:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
}

/** What a runtime's own init may have open from outside: sealed copies of programs, and what has no path. */
function isThrowaway(link: string): boolean {
  return /^\/(memfd:|proc\/self\/exe)/.test(link) || link.endsWith(' (deleted)');
}

function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
