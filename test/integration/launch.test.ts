import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHost } from '../support/host.ts';
import { LaunchStore, launch, launchedReport } from '../support/launch.ts';
import { mountAt } from '../support/probe-report.ts';

let store: LaunchStore;
beforeAll(() => {
  store = new LaunchStore();
});
afterAll(() => store[Symbol.dispose]());

const inShell = (script: string): string[] => ['/bin/sh', '-c', script];

describe('launch', () => {
  it('runs the image that comes with hull when none is named', async () => {
    await using host = await TestHost.open('hull');
    const flags = ['--store', store.path, '--rm', '--name', host.id(), '--entrypoint', '/bin/ls'];
    const outcome = await host.runtime.call('launch', [], { flags });
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    const again = await launch(host, store, ['cat', '/etc/welcome'], {
      image: 'hull/welcome',
      flags: ['--rm', '--name', host.id()],
    });
    expect(again).toMatchObject({ status: 0, stderr: '' });
    expect(again.stdout).toContain('three layers');
    expect(store.image('ls').stdout).toContain('hull/welcome:latest');
  });

  it("is the program's in its exit status", async () => {
    await using host = await TestHost.open('hull');
    for (const status of [0, 7, 255]) {
      const outcome = await launch(host, store, ['/bin/probe', 'exit', `${status}`], {
        flags: ['--rm', '--name', host.id()],
      });
      expect(outcome).toMatchObject({ status, stdout: '', stderr: '' });
    }
  });

  it('passes standard input on with --interactive, to its end, and else gives an empty one', async () => {
    await using host = await TestHost.open('hull');
    const text = 'line\n'.repeat(50_000);
    const given = await launch(host, store, ['/bin/cat'], {
      stdin: text,
      flags: ['-i', '--rm', '--name', host.id()],
    });
    expect(given.status).toBe(0);
    expect(given.stdout === text).toBe(true);
    const kept = await launch(host, store, ['/bin/cat'], {
      stdin: text,
      flags: ['--rm', '--name', host.id()],
    });
    expect(kept).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  it('passes 50 MB of output on, whole and in order, and standard error apart from it', async () => {
    await using host = await TestHost.open('hull');
    const script =
      'i=0; while [ $i -lt 50 ]; do echo $i; head -c 1000000 /dev/zero; i=$((i+1)); done; echo e >&2';
    const outcome = await launch(host, store, inShell(script), { flags: ['--rm', '--name', host.id()] });
    expect(outcome).toMatchObject({ status: 0, stderr: 'e\n' });
    const expected = createHash('sha256');
    for (let n = 0; n < 50; n++) expected.update(`${n}\n`).update(Buffer.alloc(1_000_000));
    expect(createHash('sha256').update(outcome.stdout).digest('hex')).toBe(expected.digest('hex'));
  });
});

describe('the process of launch', () => {
  it("has the image's environment and directory, and what the command line changes", async () => {
    await using host = await TestHost.open('hull');
    const plain = await launchedReport(host, store, []);
    expect(plain).toMatchObject({ argv: ['/bin/probe'], cwd: '/srv' });
    expect(plain.env).toEqual(expect.arrayContaining(['FROM=image', 'BOTH=image', 'HOME=/root']));
    const changed = await launchedReport(host, store, [
      '-e',
      'BOTH=mine',
      '--env',
      'NEW=',
      '--workdir',
      '/data',
    ]);
    expect(changed.cwd).toBe('/data');
    expect(changed.env).toEqual(expect.arrayContaining(['FROM=image', 'BOTH=mine', 'NEW=']));
    expect(changed.env).not.toContain('BOTH=image');
  });

  // biome-ignore format: a table
  const USERS: readonly [user: string, uid: number, gid: number, groups: number[]][] = [
    ['tester',       1000, 1000, [2000]],
    ['1000',         1000, 1000, [2000]],
    ['tester:extra', 1000, 2000, []],
    ['4321:99',      4321, 99,   []],
    ['0:0',          0,    0,    []],
  ];
  for (const [user, uid, gid, groups] of USERS) {
    it(`runs as --user ${user}`, async () => {
      await using host = await TestHost.open('hull');
      const { uids, gids, groups: found } = await launchedReport(host, store, ['--user', user]);
      expect([uids.effective, gids.effective, found]).toEqual([uid, gid, groups]);
    });
  }

  it('gets nothing of a set-user-id program but with --allow-new-privileges', async () => {
    await using host = await TestHost.open('hull');
    const program = ['/bin/probe-as-root'];
    const refused = await launchedReport(host, store, ['--user', 'tester'], program);
    expect(refused).toMatchObject({
      noNewPrivileges: true,
      uids: { real: 1000, effective: 1000, saved: 1000 },
    });
    expect(refused.capabilities.effective).toEqual([]);
    const allowed = await launchedReport(
      host,
      store,
      ['--user', 'tester', '--allow-new-privileges'],
      program,
    );
    expect(allowed).toMatchObject({ noNewPrivileges: false, uids: { real: 1000, effective: 0, saved: 0 } });
  });

  it('has only the capabilities that programs of a distribution expect of root', async () => {
    await using host = await TestHost.open('hull');
    const { capabilities } = await launchedReport(host, store, []);
    expect(capabilities.effective).toHaveLength(11);
    for (const name of [
      'CAP_SYS_ADMIN',
      'CAP_NET_ADMIN',
      'CAP_MKNOD',
      'CAP_SYS_PTRACE',
      'CAP_DAC_READ_SEARCH',
    ]) {
      expect(capabilities.bounding).not.toContain(name);
    }
    expect(capabilities.bounding).toContain('CAP_CHOWN');
  });

  it('has an entrypoint from the command line, with the arguments after it', async () => {
    await using host = await TestHost.open('hull');
    const report = await launchedReport(host, store, ['--entrypoint', '/bin/probe'], ['report', 'a b']);
    expect(report.argv).toEqual(['/bin/probe', 'report', 'a b']);
  });

  it("has the container's name for a host name, or another", async () => {
    await using host = await TestHost.open('hull');
    const { hostname } = await launchedReport(host, store, []);
    expect(hostname).toMatch(/^ht\d+-\d+$/);
    expect((await launchedReport(host, store, ['--hostname', 'other'])).hostname).toBe('other');
  });

  it('has a network with nothing but loopback, or with --network host the one of the machine', async () => {
    await using host = await TestHost.open('hull');
    const own = readlinkSync('/proc/self/ns/net');
    const interfaces = async (network: string): Promise<[string, string[]]> => {
      const report = await launchedReport(host, store, ['--network', network]);
      const { stdout } = await launch(host, store, ['/bin/cat', '/proc/net/dev'], {
        flags: ['--rm', '--name', host.id(), '--network', network],
      });
      return [report.namespaces.net ?? '', [...stdout.matchAll(/^ *(\S+):/gm)].map(([, name = '']) => name)];
    };
    const [isolated, only] = await interfaces('none');
    expect(isolated).not.toBe(own);
    expect(only).toContain('lo');
    expect(only).not.toContain('eth0');
    expect((await interfaces('host'))[0]).toBe(own);
  });

  it('can write to its root, but not with --read-only', async () => {
    await using host = await TestHost.open('hull');
    expect((await launchedReport(host, store, [])).root.write).toBe('ok');
    expect((await launchedReport(host, store, ['--read-only'])).root.write).toBe('EROFS');
  });
});

describe('a volume of launch', () => {
  it('is a directory of the host, to be written to', async () => {
    await using host = await TestHost.open('hull');
    const flags = ['--rm', '--name', host.id(), '--volume', `${host.directory('shared')}:/mnt/deep`];
    const outcome = await launch(host, store, inShell('echo written > /mnt/deep/new'), { flags });
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(host.path('shared/new'), 'utf8')).toBe('written\n');
  });

  it('cannot be written to with :ro', async () => {
    await using host = await TestHost.open('hull');
    writeFileSync(`${host.directory('shared')}/old`, 'content');
    const flags = ['--rm', '--name', host.id(), '-v', `${host.path('shared')}:/data:ro`];
    const outcome = await launch(host, store, inShell('cat /data/old; touch /data/new'), { flags });
    expect(outcome).toMatchObject({ status: 1, stdout: 'content' });
    expect(outcome.stderr).toContain('Read-only file system');
    expect(statSync(host.path('shared/new'), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('may be a file, and has no devices and no set-user-id programs that work', async () => {
    await using host = await TestHost.open('hull');
    writeFileSync(host.path('file'), 'x');
    const report = await launchedReport(host, store, ['-v', `${host.path('file')}:/etc/file`]);
    expect(mountAt(report, '/etc/file').options).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
  });

  it('that the image asks for starts with what the image has there, and is lost with the container', async () => {
    await using host = await TestHost.open('hull');
    store.addImage('volume', { Cmd: ['/bin/probe'], Volumes: { '/data': {}, '/new/volume': {} } });
    const script =
      'cat /data/first; echo more >> /data/first; touch /new/volume/x; exec /bin/probe stat /data/first';
    for (let again = 0; again < 2; again++) {
      const outcome = await launch(host, store, inShell(script), {
        image: 'volume',
        flags: ['--rm', '--name', host.id()],
      });
      expect(outcome).toMatchObject({ status: 0, stderr: '' });
      expect(outcome.stdout).toBe('from the image/data/first 100640 7:8\n');
    }
    const mounts = await launch(host, store, ['/bin/mount'], {
      image: 'volume',
      flags: ['--rm', '--name', host.id()],
    });
    expect(mounts.stdout).toMatch(/^tmpfs on \/data type tmpfs \(rw,nosuid,nodev/m);
  });
});
