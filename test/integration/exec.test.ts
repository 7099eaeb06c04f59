import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { until } from '../support/child.ts';
import { itExcept } from '../support/claim.ts';
import { TestHost } from '../support/host.ts';
import { type ProbeReport, parseReport } from '../support/probe-report.ts';
import { createSleeping, startSleeping, untilStatus } from '../support/running.ts';
import type { CallOptions } from '../support/runtime.ts';
import { errorText } from '../support/runtime.ts';

async function execReport(host: TestHost, id: string, flags: string[] = []): Promise<ProbeReport> {
  const { status, stdout, stderr } = await host.runtime.exec(id, ['/bin/probe'], { flags });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return parseReport(stdout);
}

describe('exec', () => {
  it('runs a process in the namespaces, root and cgroups of the container', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const inside = await execReport(host, id);
    const { pid } = await host.runtime.state(id);
    expect(inside.hostname).toBe('runc');
    expect(inside.root.entries).toContain('bin');
    expect(inside.pid).not.toBe(1);
    expect(inside.cgroups.map(controllerAndPath)).toEqual(
      readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n').map(controllerAndPath),
    );
  });

  it('exits with the status of its process', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    expect((await host.runtime.exec(id, ['/bin/probe', 'exit', '9'])).status).toBe(9);
    expect((await host.runtime.exec(id, ['/bin/sh', '-c', 'kill -KILL $$'])).status).toBe(137);
  });

  it('passes standard input, output and error', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const echoed = await host.runtime.exec(id, ['/bin/probe', 'cat'], { stdin: 'given\n' });
    expect(echoed).toMatchObject({ status: 0, stdout: 'given\n' });
    const lines = await host.runtime.exec(id, ['/bin/probe', 'lines', '1']);
    expect(lines).toMatchObject({ status: 0, stdout: 'out 0\n', stderr: 'err 0\n' });
  });

  it('takes options only before the id, and the rest as the command', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const { stdout } = await host.runtime.exec(id, ['/bin/echo', '--cwd', '-e', '--', '-t']);
    expect(stdout).toBe('--cwd -e -- -t\n');
  });

  it('has the environment, directory and user of the configuration', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host, (config) => {
      config.process.env.push('FROM=config');
      config.process.cwd = '/tmp';
      config.process.user = { uid: 1000, gid: 1000, additionalGids: [77] };
    });
    const report = await execReport(host, id);
    expect(report.env).toContain('FROM=config');
    expect(report.cwd).toBe('/tmp');
    expect(report.uids).toEqual({ real: 1000, effective: 1000, saved: 1000, filesystem: 1000 });
    expect(report.groups).toEqual([77]);
  });

  // runc before 1.2 gives an exec 0022 whatever the configuration says.
  itExcept('runc 1.1.5')('has the umask of the configuration', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host, (config) => {
      config.process.user.umask = 0o27;
    });
    expect((await execReport(host, id)).umask).toBe(0o27);
  });

  it('adds to the environment with --env, whose last value counts', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host, (config) => {
      config.process.env.push('A=config');
    });
    const report = await execReport(host, id, ['--env', 'A=first', '--env', 'A=last', '--env', 'B=x=y']);
    const value = report.env.filter((entry) => entry.startsWith('A='));
    expect(value.at(-1)).toBe('A=last');
    expect(report.env).toContain('B=x=y');
  });

  it('runs as the user of --user, with the groups of --additional-gids', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const report = await execReport(host, id, ['--user', '1000:1001', '-g', '100', '-g', '65534']);
    expect(report.uids.effective).toBe(1000);
    expect(report.gids.effective).toBe(1001);
    expect([...report.groups].sort()).toEqual([100, 65534]);
  });

  it('runs in the directory of --cwd', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    expect((await execReport(host, id, ['--cwd', '/etc'])).cwd).toBe('/etc');
  });

  it('adds capabilities with --cap', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const { capabilities } = await execReport(host, id, ['--cap', 'CAP_SYS_PTRACE']);
    for (const set of ['bounding', 'permitted', 'effective'] as const) {
      expect(capabilities[set], set).toContain('CAP_SYS_PTRACE');
    }
    expect(capabilities.inheritable).not.toContain('CAP_SYS_PTRACE');
  });

  it('has the limits of the configuration', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    expect((await execReport(host, id)).rlimits.RLIMIT_NOFILE).toEqual({ soft: '1024', hard: '1024' });
  });

  it('takes a whole process from --process', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const file = host.path('process.json');
    const process = { args: ['/bin/probe'], cwd: '/tmp', env: ['ONLY=this'], user: { uid: 5, gid: 6 } };
    writeFileSync(file, JSON.stringify({ ...process, capabilities: {}, noNewPrivileges: true }));
    const { status, stdout } = await host.runtime.call('exec', [id], { flags: ['--process', file] });
    expect(status).toBe(0);
    const report = parseReport(stdout);
    expect(report).toMatchObject({
      cwd: '/tmp',
      uids: { real: 5 },
      gids: { real: 6 },
      noNewPrivileges: true,
    });
    expect(report.env).toContain('ONLY=this');
    expect(report.capabilities.bounding).toEqual([]);
  });

  it('returns at once with --detach, and writes the pid to --pid-file', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const pidFile = host.path('exec.pid');
    const options: CallOptions = { flags: ['--detach', '--pid-file', pidFile] };
    expect((await host.runtime.exec(id, ['/bin/probe', 'sleep'], options)).status).toBe(0);
    const pid = readFileSync(pidFile, 'utf8');
    expect(pid).toMatch(/^\d+$/);
    await until('the process', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('probe\0sleep'));
  });

  it('can enter a container that is only created', async () => {
    await using host = await TestHost.open();
    const id = await createSleeping(host);
    expect((await execReport(host, id)).hostname).toBe('runc');
  });

  it('exits with 255 when it cannot run', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    // biome-ignore format: a table
    const cases: readonly [id: string, args: string[], text: string | RegExp][] = [
      [host.id(), ['/bin/true'],   'container does not exist'],
      [id,        ['nosuch'],      'exec: "nosuch": executable file not found in $PATH'],
      [id,        ['/bin/nosuch'], /exec:? "?\/bin\/nosuch"?: (stat \/bin\/nosuch: )?no such file or directory/],
      [id,        ['/etc/passwd'], /exec:? "?\/etc\/passwd"?: permission denied/],
    ];
    for (const [target, args, text] of cases) {
      const outcome = await host.runtime.exec(target, args);
      expect(outcome.status, args.join(' ')).toBe(255);
      expect(errorText(outcome)).toMatch(text);
    }
  });

  it('refuses a container that has stopped', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    await host.runtime.kill(id, 'KILL');
    await untilStatus(host, id, 'stopped');
    const { status, stderr } = await host.runtime.exec(id, ['/bin/true']);
    expect(status).toBe(255);
    expect(stderr).toContain('cannot exec in a stopped container');
  });

  it('ends when the container is killed', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const child = host.runtime.spawn('exec', [id, '/bin/probe', 'sleep']);
    await until('the process', () => child.stdout() === 'sleeping\n');
    await host.runtime.kill(id, 'KILL');
    expect((await child.finished).status).toBe(137);
  });
});

/** Without the number of the hierarchy: `pids:/ht1-0`. */
function controllerAndPath(line: string): string {
  return line.slice(line.indexOf(':') + 1);
}
