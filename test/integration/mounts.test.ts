import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { itExcept } from '../support/claim.ts';
import type { Config } from '../support/config.ts';
import { TestHost } from '../support/host.ts';
import { mountAt, reportOf, reportOfBundle } from '../support/probe-report.ts';

type Capabilities = Config['process']['capabilities'];

const mayMount = (sets: Capabilities): Capabilities => ({
  ...sets,
  ...Object.fromEntries(
    (['bounding', 'effective', 'permitted'] as const).map((set) => [set, ['CAP_SYS_ADMIN']]),
  ),
});

describe('mounts', () => {
  it('are those of the configuration, above the root', async () => {
    await using host = await TestHost.open();
    const report = await reportOf(host);
    const places = report.mounts
      .map(({ destination }) => destination)
      .filter((place) => !place.startsWith('/proc/'));
    const own = places.filter((place) => !place.startsWith('/sys/fs/cgroup/') && place !== '/sys/firmware');
    // Not in order: what is cloned before it is attached has an earlier id, and the kernel lists by that.
    expect(own.sort()).toEqual(
      ['/', '/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue', '/sys', '/sys/fs/cgroup'].sort(),
    );
  });

  // biome-ignore format: a table
  const EXPECTED: readonly [destination: string, type: string, options: string[]][] = [
    ['/proc',       'proc',   ['rw']],
    ['/dev',        'tmpfs',  ['rw', 'nosuid']],
    ['/dev/pts',    'devpts', ['rw', 'nosuid', 'noexec']],
    ['/dev/shm',    'tmpfs',  ['rw', 'nosuid', 'nodev', 'noexec']],
    ['/dev/mqueue', 'mqueue', ['rw', 'nosuid', 'nodev', 'noexec']],
    ['/sys',        'sysfs',  ['ro', 'nosuid', 'nodev', 'noexec']],
  ];

  it('have the types and options of the configuration', async () => {
    await using host = await TestHost.open();
    const report = await reportOf(host);
    for (const [destination, type, options] of EXPECTED) {
      const mount = mountAt(report, destination);
      expect(mount.type, destination).toBe(type);
      expect(new Set(mount.options.filter((option) => option !== 'relatime')), destination).toEqual(
        new Set(options),
      );
    }
    expect(mountAt(report, '/dev').super).toEqual(expect.arrayContaining(['mode=755', 'size=65536k']));
    expect(mountAt(report, '/dev/pts').super).toEqual(
      expect.arrayContaining(['gid=5', 'mode=620', 'ptmxmode=666']),
    );
  });

  it('on the root are read-only or writable as root.readonly says', async () => {
    await using host = await TestHost.open();
    expect((await reportOf(host)).root.write).toBe('EROFS');
    const report = await reportOf(host, (config) => {
      config.root.readonly = false;
    });
    expect(report.root.write).toBe('ok');
  });

  it('bind a directory of the host', async () => {
    await using host = await TestHost.open();
    const source = host.directory('source');
    writeFileSync(path.join(source, 'file'), 'from the host\n');
    const bundle = host.bundle((config) => {
      config.mounts.push({ destination: '/tmp', type: 'bind', source, options: ['rbind', 'rw'] });
      config.process.args = ['/bin/sh', '-c', 'cat /tmp/file && echo back > /tmp/other'];
    });
    const outcome = await host.runtime.run(host.id(), bundle);
    expect(outcome).toMatchObject({ status: 0, stdout: 'from the host\n' });
    expect(readFileSync(path.join(source, 'other'), 'utf8')).toBe('back\n');
  });

  it('make the destination of a bind: a directory for a directory, a file for a file', async () => {
    await using host = await TestHost.open();
    const directory = host.directory('directory');
    const file = path.join(directory, 'file');
    writeFileSync(file, 'text\n');
    const bundle = host.bundle((config) => {
      config.mounts.push(
        { destination: '/made/for/directory', type: 'bind', source: directory, options: ['bind'] },
        { destination: '/made/for/file', type: 'bind', source: file, options: ['bind', 'ro'] },
      );
    });
    const report = await reportOfBundle(host, bundle);
    expect(mountAt(report, '/made/for/directory').root).toBe(directory);
    expect(mountAt(report, '/made/for/file').options).toContain('ro');
    expect(statSync(bundle.inside('made/for/directory')).isDirectory()).toBe(true);
    expect(statSync(bundle.inside('made/for/file')).isFile()).toBe(true);
  });

  it('take a relative source from the bundle', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.mounts.push({ destination: '/tmp', type: 'bind', source: 'volume', options: ['bind'] });
    });
    mkdirSync(path.join(bundle.directory, 'volume'));
    expect(mountAt(await reportOfBundle(host, bundle), '/tmp').root).toBe(
      path.join(bundle.directory, 'volume'),
    );
  });

  it('take a relative destination from the root', async () => {
    await using host = await TestHost.open();
    const report = await reportOf(host, (config) => {
      config.mounts.push({ destination: 'tmp', type: 'tmpfs', source: 'tmpfs' });
    });
    expect(mountAt(report, '/tmp').type).toBe('tmpfs');
  });

  // biome-ignore format: a table
  const OPTIONS: readonly [given: string[], present: string[], absent: string[]][] = [
    [['ro'],                             ['ro'],                               ['rw']],
    [['ro', 'rw'],                       ['rw'],                               ['ro']],
    [['nosuid', 'nodev', 'noexec'],      ['nosuid', 'nodev', 'noexec', 'rw'],  ['ro']],
    [['nosuid', 'suid', 'nodev', 'dev'], ['rw'],                               ['nosuid', 'nodev']],
    [['noatime'],                        ['noatime'],                          ['relatime']],
    [['nodiratime', 'relatime'],         ['nodiratime', 'relatime'],           ['noatime']],
  ];
  for (const type of ['tmpfs', 'bind']) {
    for (const [given, present, absent] of OPTIONS) {
      it(`of type ${type} with ${given.join(',')} are ${present.join(',')}`, async () => {
        await using host = await TestHost.open();
        const source = type === 'bind' ? host.directory('source') : 'tmpfs';
        const options = type === 'bind' ? ['rbind', ...given] : given;
        const report = await reportOf(host, (config) => {
          config.mounts.push({ destination: '/tmp', type, source, options });
        });
        const mount = mountAt(report, '/tmp');
        expect(mount.options).toEqual(expect.arrayContaining(present));
        for (const option of absent) expect(mount.options).not.toContain(option);
      });
    }
  }

  it('pass options that are not flags to the filesystem', async () => {
    await using host = await TestHost.open();
    const report = await reportOf(host, (config) => {
      config.mounts.push({
        destination: '/tmp',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['size=64k', 'mode=700'],
      });
    });
    expect(mountAt(report, '/tmp').super).toEqual(expect.arrayContaining(['size=64k', 'mode=700']));
  });

  // runc before 1.2 drops it silently.
  itExcept('runc 1.1.5')('reject such an option on a bind', async () => {
    await using host = await TestHost.open();
    const source = host.directory('source');
    const bundle = host.bundle((config) => {
      config.mounts.push({ destination: '/tmp', type: 'bind', source, options: ['bind', 'size=64k'] });
    });
    expect((await host.runtime.run(host.id(), bundle)).status).toBe(1);
  });

  // biome-ignore format: a table
  const PROPAGATION: readonly [option: string, shown: RegExp | undefined][] = [
    ['rprivate', undefined], ['private', undefined], ['rslave', /^master:/], ['rshared', /^shared:/],
    ['runbindable', /^unbindable$/],
  ];
  for (const [option, shown] of PROPAGATION) {
    it(`of a shared source are propagated as ${option} says`, async () => {
      await using host = await TestHost.open();
      const source = host.directory('source');
      host.inside('mount', '-t', 'tmpfs', 'tmpfs', source);
      host.inside('mount', '--make-shared', source);
      const report = await reportOf(host, (config) => {
        config.mounts.push({ destination: '/tmp', type: 'bind', source, options: ['rbind', option] });
        config.linux.rootfsPropagation = 'slave';
      });
      const { propagation } = mountAt(report, '/tmp');
      if (shown === undefined) expect(propagation).toEqual([]);
      else expect(propagation).toContainEqual(expect.stringMatching(shown));
      host.inside('umount', source);
    });
  }

  // runc and crun leave a bind without an option shared, so that hosts get what nobody asked for.
  for (const [rootfsPropagation, options, isSeen, ...knownBad] of [
    ['rshared', ['rbind', 'rshared'], true],
    ['rslave', ['rbind', 'rshared'], false],
    ['rshared', ['rbind', 'rslave'], false],
    ['rshared', ['rbind'], false, 'runc 1.1.5'],
  ] as const) {
    const [what, does] = [options.join(','), isSeen ? 'appear' : 'do not appear'];
    const title = `made in a bind with ${what} ${does} on the host when the root is ${rootfsPropagation}`;
    itExcept(...knownBad)(title, async () => {
      await using host = await TestHost.open();
      const source = host.directory('source');
      host.inside('mount', '-t', 'tmpfs', 'tmpfs', source);
      host.inside('mount', '--make-shared', source);
      host.inside('mkdir', path.join(source, 'below'));
      host.remember();
      const bundle = host.bundle((config) => {
        config.mounts.push({ destination: '/tmp', type: 'bind', source, options: [...options] });
        config.linux.rootfsPropagation = rootfsPropagation;
        config.process.capabilities = mayMount(config.process.capabilities);
        config.process.args = [
          '/bin/sh',
          '-c',
          'mount -t tmpfs tmpfs /tmp/below && echo text > /tmp/below/file',
        ];
      });
      expect(await host.runtime.run(host.id(), bundle)).toMatchObject({ status: 0 });
      const seen = host.inside('ls', path.join(source, 'below'));
      if (isSeen) host.inside('umount', path.join(source, 'below'));
      expect(seen).toBe(isSeen ? 'file\n' : '');
    });
  }

  it('copy what was there with tmpcopyup', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.mounts.push({
        destination: '/etc',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['tmpcopyup', 'mode=755'],
      });
      config.process.args = ['/bin/sh', '-c', 'cat /etc/group && echo new > /etc/new && cat /etc/new'];
    });
    const { status, stdout } = await host.runtime.run(host.id(), bundle);
    expect(status).toBe(0);
    expect(stdout).toBe(`${readFileSync(bundle.inside('etc/group'), 'utf8')}new\n`);
  });

  it('follow a link of the root within the root', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.mounts.push({ destination: '/link/sub', type: 'tmpfs', source: 'tmpfs' });
    });
    mkdirSync(bundle.inside('real'));
    symlinkSync('/real', bundle.inside('link'));
    expect(mountAt(await reportOfBundle(host, bundle), '/real/sub').type).toBe('tmpfs');
  });

  it('are read-only all the way down with rro', async () => {
    await using host = await TestHost.open();
    const source = host.directory('source');
    mkdirSync(path.join(source, 'inner'));
    host.inside('mount', '-t', 'tmpfs', 'tmpfs', path.join(source, 'inner'));
    const report = await reportOf(host, (config) => {
      config.mounts.push({ destination: '/tmp', type: 'bind', source, options: ['rbind', 'rro'] });
    });
    expect(mountAt(report, '/tmp').options).toContain('ro');
    expect(mountAt(report, '/tmp/inner').options).toContain('ro');
    host.inside('umount', path.join(source, 'inner'));
  });

  // Id-mapped mounts came with runc 1.2; hull refuses them by name.
  itExcept('runc 1.1.5', 'hull 0.1.0')('map the owners of a bind with idmap', async () => {
    await using host = await TestHost.open();
    const source = host.directory('source');
    writeFileSync(path.join(source, 'file'), '');
    const bundle = host.bundle((config) => {
      const map = [{ containerID: 0, hostID: 7000, size: 100 }];
      const mount = { destination: '/tmp', type: 'bind', source, options: ['bind', 'idmap'] };
      config.mounts.push({ ...mount, uidMappings: map, gidMappings: map });
      config.process.args = ['/bin/probe', 'stat', '/tmp/file'];
    });
    const { stdout } = await host.runtime.run(host.id(), bundle);
    expect(stdout).toBe('/tmp/file 100644 7000:7000\n');
  });

  it('show the container its own cgroups, read-only', async () => {
    await using host = await TestHost.open();
    const report = await reportOf(host);
    const cgroups = report.mounts.filter(({ type }) => type.startsWith('cgroup'));
    expect(cgroups.length).toBeGreaterThan(0);
    for (const { destination, options } of cgroups) expect(options, destination).toContain('ro');
    expect(report.paths['/sys/fs/cgroup']?.write).not.toBe('ok');
  });
});
