import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/child.ts';
import { TestHost } from '../support/host.ts';
import { LaunchStore, launch, launchedReport, launchSleeping, startLaunch } from '../support/launch.ts';

let store: LaunchStore;
beforeAll(() => {
  store = new LaunchStore();
});
afterAll(() => store[Symbol.dispose]());
// What the host checks at its end besides: mounts, cgroups, processes, the state directory.
afterEach(() => expect(store.containers()).toEqual([]));

const inShell = (script: string): string[] => ['/bin/sh', '-c', script];

const upperFile = (id: string, name: string): string =>
  path.join(store.path, 'containers', id, 'upper', name);

async function statusInList(host: TestHost, id: string): Promise<string | undefined> {
  const { stdout } = await host.runtime.list({ flags: ['--format', 'json'] });
  const all = JSON.parse(stdout) as { id: string; status: string }[] | null;
  return all?.find((container) => container.id === id)?.status;
}

describe('a launched container', () => {
  it('is gone after its end with --rm', async () => {
    await using host = await TestHost.open('hull');
    const id = host.id();
    await launch(host, store, inShell('echo x > /kept'), { flags: ['--rm', '--name', id] });
    expect(await statusInList(host, id)).toBeUndefined();
    expect(store.containers()).toEqual([]);
    expect(await host.differences()).toEqual([]);
  });

  it('stays without --rm: stopped, with its name, and what it has written, until it is deleted', async () => {
    await using host = await TestHost.open('hull');
    const id = host.id();
    const first = await launch(host, store, inShell('echo x > /srv/kept'), { flags: ['--name', id] });
    expect(first).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await statusInList(host, id)).toBe('stopped');
    expect(store.containers()).toEqual([id]);
    expect(readFileSync(upperFile(id, 'srv/kept'), 'utf8')).toBe('x\n');
    const second = await launch(host, store, inShell('echo y > /srv/kept'), { flags: ['--name', id] });
    expect(second).toMatchObject({
      status: 1,
      stderr: `a container named "${id}" exists already\nhull delete ${id} removes it\n`,
    });
    expect(readFileSync(upperFile(id, 'srv/kept'), 'utf8')).toBe('x\n');
    expect(await host.runtime.delete(id)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await host.differences()).toEqual([]);
  });

  it('is refused a name that a container has under another --root', async () => {
    await using host = await TestHost.open('hull');
    const [id, child] = await launchSleeping(host, store);
    const elsewhere = { globals: ['--root', host.path('elsewhere')], flags: ['--rm', '--name', id] };
    expect(await launch(host, store, ['/bin/probe'], elsewhere)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^a container named ".*" exists already\n/),
    });
    const exec = await host.runtime.exec(id, ['/bin/cat', '/etc/group']);
    expect(exec.stdout).toContain('tester'); // its root is still there
    await host.runtime.kill(id, 'TERM');
    expect((await child.finished).status).toBe(143);
  });

  it('has its name to itself when several are launched at once', async () => {
    await using host = await TestHost.open('hull');
    const id = host.id();
    const children = Array.from({ length: 4 }, () =>
      startLaunch(host, store, ['/bin/probe', 'sleep'], { flags: ['--rm', '--name', id] }),
    );
    await until('one of them to run', () => children.some((child) => child.stdout() === 'sleeping\n'));
    const losers = children.filter((child) => child.stdout() === '');
    expect(losers).toHaveLength(3);
    for (const loser of losers) {
      expect(await loser.finished).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('exists already'),
      });
    }
    expect((await host.runtime.exec(id, ['/bin/cat', '/etc/group'])).stdout).toContain('tester');
    await host.runtime.kill(id, 'KILL');
    const winner = children.find((child) => child.stdout() !== '');
    expect((await winner?.finished)?.status).toBe(137);
  });

  it('takes the place of one that is gone without having been deleted', async () => {
    await using host = await TestHost.open('hull');
    const id = host.id();
    mkdirSync(path.dirname(upperFile(id, 'old')), { recursive: true, mode: 0o700 });
    writeFileSync(upperFile(id, 'old'), 'of a machine that was switched off');
    const { root } = await launchedReport(host, store, ['--name', id]);
    expect(root.entries).toContain('srv');
    expect(root.entries).not.toContain('old');
  });

  it('shares an image with another, and nothing of what they change', async () => {
    await using host = await TestHost.open('hull');
    const names = [host.id(), host.id()];
    const both = names.map((id) =>
      startLaunch(host, store, inShell(`touch /srv/${id}; echo ready; read line; echo /srv/*`), {
        stdin: 'open',
        flags: ['-i', '--rm', '--name', id],
      }),
    );
    for (const child of both) await until('both to run', () => child.stdout() === 'ready\n');
    for (const child of both) child.closeStdin('go\n');
    const outputs = await Promise.all(both.map(async (child) => (await child.finished).stdout));
    expect(outputs).toEqual(names.map((id) => `ready\n/srv/${id}\n`));
  });
});

describe('the end of a launched container', () => {
  // biome-ignore format: a table
  const SIGNALS: readonly [signal: string, status: number][] = [['TERM', 143], ['KILL', 137]];
  for (const [signal, status] of SIGNALS) {
    it(`by a kill ${signal} from outside is its status, ${status}`, async () => {
      await using host = await TestHost.open('hull');
      const [id, child] = await launchSleeping(host, store);
      expect((await host.runtime.kill(id, signal)).status).toBe(0);
      expect(await child.finished).toMatchObject({ status, stderr: '' });
      expect(await host.differences()).toEqual([]);
    });
  }

  for (const flags of [['--rm'], []]) {
    it(`by delete --force from outside leaves nothing, launched with ${flags.join() || 'no --rm'}`, async () => {
      await using host = await TestHost.open('hull');
      const [id, child] = await launchSleeping(host, store, flags);
      expect((await host.runtime.delete(id, { flags: ['--force'] })).status).toBe(0);
      expect(await child.finished).toMatchObject({ status: 137, stderr: '' });
      expect(store.containers()).toEqual([]);
      expect(await host.differences()).toEqual([]);
    });
  }

  it('by an interrupt of the foreground is its own answer to that', async () => {
    await using host = await TestHost.open('hull');
    const id = host.id();
    const child = startLaunch(host, store, ['/bin/probe', 'signal-wait', '2'], {
      flags: ['--rm', '--name', id],
    });
    await until('the process to listen', () => child.stdout() === 'ready\n');
    await host.runtime.kill(id, 'USR1'); // it answers others too
    await until('the first', () => child.stdout() === 'ready\nSIGUSR1\n');
    child.signal('SIGINT');
    expect(await child.finished).toMatchObject({ status: 0, stdout: 'ready\nSIGUSR1\nSIGINT\n', stderr: '' });
  });

  it('leaves a container that can be deleted when its launch has been killed', async () => {
    await using host = await TestHost.open('hull');
    const [id, child] = await launchSleeping(host, store);
    child.signal('SIGKILL');
    await child.finished;
    expect(await statusInList(host, id)).toBe('running');
    const again = await launch(host, store, ['/bin/probe'], { flags: ['--rm', '--name', id] });
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining('exists already') });
    expect((await host.runtime.delete(id, { flags: ['--force'] })).status).toBe(0);
    expect(await host.differences()).toEqual([]);
  });
});

describe('launch refuses, with one line and nothing left,', () => {
  // biome-ignore format: a table
  const REFUSALS: readonly [what: string, flags: string[], operands: string[], message: RegExp][] = [
    ['an unknown image',             [],                         ['nosuch'],        /^there is no image "nosuch" in the store\nthe store has .*"tools:latest".*\n$/],
    ['a layout that is not there',   [],                         ['oci:/nowhere'],  /^cannot import "oci:\/nowhere": [^\n]*\n$/],
    ['an image without a program',   [],                         ['no-command'],    /^the image names no program to run: name one on the command line\n$/],
    ['a program that is not there',  [],                         ['tools', 'nope'], /^unable to start container process: exec: "nope": executable file not found in \$PATH\n$/],
    ['an unknown user',              ['--user', 'nobody'],       ['tools'],         /^the image has no user "nobody" in its \/etc\/passwd\n$/],
    ['a volume of nothing',          ['-v', '/nowhere:/x'],      ['tools'],         /^invalid volume "\/nowhere:\/x": "\/nowhere" does not exist\n[^\n]*\n$/],
    ['a volume at a relative place', ['-v', '/tmp:x'],           ['tools'],         /^invalid volume "\/tmp:x": not SRC:DST\[:ro\] with an absolute DST\n[^\n]*\n$/],
    ['a variable without a value',   ['-e', 'NAME'],             ['tools'],         /^invalid environment variable "NAME": not NAME=VALUE\n$/],
    ['an unknown network',           ['--network', 'bridge'],    ['tools'],         /^unknown network "bridge"\n[^\n]*\n$/],
    ['a name that is a path',        ['--name', '../x'],         ['tools'],         /^invalid container ID format\n[^\n]*\n$/],
    ['an unknown isolation',         ['--isolation', 'chroot'],  ['tools'],         /^cannot launch with --isolation "chroot": not a kind of isolation\n$/],
  ];
  beforeAll(() => store.addImage('no-command', {}));
  for (const [what, flags, operands, message] of REFUSALS) {
    it(what, async () => {
      await using host = await TestHost.open('hull');
      const name = flags.includes('--name') ? [] : ['--name', host.id()];
      const outcome = await host.runtime.call('launch', operands, {
        flags: ['--store', store.path, ...name, ...flags],
      });
      expect(outcome).toMatchObject({ status: 1, stdout: '' });
      expect(outcome.stderr).toMatch(message);
      expect(existsSync(path.join(host.runtime.root, name[1] ?? 'x'))).toBe(false);
    });
  }

  it('but runs the image without a program when one is named', async () => {
    await using host = await TestHost.open('hull');
    const options = { image: 'no-command', flags: ['--rm', '--name', host.id()] };
    expect(await launch(host, store, ['/bin/probe', 'exit', '3'], options)).toMatchObject({ status: 3 });
  });
});
