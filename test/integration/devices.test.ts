import { describe, expect, it } from 'vitest';
import { TestHost } from '../support/host.ts';
import { reportOf } from '../support/probe-report.ts';

// "Default Devices" and "/dev symbolic links" of the runtime-spec's config-linux.md and runtime-linux.md.
// biome-ignore format: a table
const DEFAULT_DEVICES: readonly [name: string, device: string][] = [
  ['null', '1:3'], ['zero', '1:5'], ['full', '1:7'], ['random', '1:8'], ['urandom', '1:9'], ['tty', '5:0'],
];
// biome-ignore format: a table
const LINKS: readonly [name: string, target: string][] = [
  ['fd', '/proc/self/fd'], ['stdin', '/proc/self/fd/0'], ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'], ['ptmx', 'pts/ptmx'],
];

/** /dev/loop-control: neither opening nor reading it asks for a capability; without the driver it is not EPERM either. */
const HARMLESS = { major: 10, minor: 237 };

describe('devices', () => {
  it('are the default ones of the specification', async () => {
    await using host = await TestHost.open();
    const { devices } = await reportOf(host);
    for (const [name, device] of DEFAULT_DEVICES) {
      expect(devices[name], name).toEqual({ type: 'character', mode: '0666', uid: 0, gid: 0, device });
    }
    for (const [name, target] of LINKS) {
      expect(devices[name], name).toMatchObject({ type: 'symlink', target });
    }
  });

  it('are no others', async () => {
    await using host = await TestHost.open();
    const { devices } = await reportOf(host);
    const known = [...DEFAULT_DEVICES, ...LINKS].map(([name]) => name);
    // runc links /dev/core to /proc/kcore where the kernel has that.
    const others = Object.keys(devices).filter((name) => !known.includes(name) && name !== 'core');
    expect(others).toEqual(['mqueue', 'pts', 'shm']);
  });

  it('work', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      const script =
        'head -c 4 /dev/zero | wc -c; echo x > /dev/null; head -c 3 /dev/urandom | wc -c; echo y > /dev/full';
      config.process.args = ['/bin/sh', '-c', script];
    });
    const { stdout, stderr } = await host.runtime.run(host.id(), bundle);
    expect(stdout).toBe('4\n3\n');
    expect(stderr).toContain('No space left on device');
  });

  it('of the configuration are made with their owner and mode', async () => {
    await using host = await TestHost.open();
    const { devices } = await reportOf(host, (config) => {
      config.linux.devices = [
        { type: 'c', path: '/dev/test-null', major: 1, minor: 3, fileMode: 0o640, uid: 5, gid: 6 },
        { type: 'u', path: '/dev/test-zero', major: 1, minor: 5 },
        { type: 'p', path: '/dev/test-fifo', fileMode: 0o600 },
        { type: 'b', path: '/dev/test-block', major: 7, minor: 200, fileMode: 0o600 },
      ];
    });
    expect(devices['test-null']).toEqual({ type: 'character', mode: '0640', uid: 5, gid: 6, device: '1:3' });
    expect(devices['test-zero']).toMatchObject({ type: 'character', device: '1:5' });
    expect(devices['test-fifo']).toMatchObject({ type: 'fifo', mode: '0600' });
    expect(devices['test-block']).toMatchObject({ type: 'block', device: '7:200' });
  });

  it('that the cgroup denies cannot be opened, those that it allows can', async () => {
    await using host = await TestHost.open();
    const { paths } = await reportOf(host, (config) => {
      config.process.args = ['/bin/probe', 'report', 'path=/dev/denied', 'path=/dev/allowed'];
      config.linux.devices = [
        { type: 'c', path: '/dev/denied', ...HARMLESS, fileMode: 0o666 },
        { type: 'c', path: '/dev/allowed', major: 1, minor: 5, fileMode: 0o666 },
      ];
    });
    expect(paths['/dev/denied']).toMatchObject({ type: 'character', read: 'EPERM', write: 'EPERM' });
    expect(paths['/dev/allowed']).toMatchObject({ type: 'character', read: 'ok', write: 'ok' });
  });

  it('that the configuration allows can be opened', async () => {
    await using host = await TestHost.open();
    const { paths } = await reportOf(host, (config) => {
      config.process.args = ['/bin/probe', 'report', 'path=/dev/allowed'];
      config.linux.devices = [{ type: 'c', path: '/dev/allowed', ...HARMLESS, fileMode: 0o666 }];
      config.linux.resources.devices.push({ allow: true, type: 'c', ...HARMLESS, access: 'r' });
    });
    expect(paths['/dev/allowed']?.read).not.toBe('EPERM');
    expect(paths['/dev/allowed']?.write).toBe('EPERM');
  });

  it('make the directories that lead to them', async () => {
    await using host = await TestHost.open();
    const { paths } = await reportOf(host, (config) => {
      config.process.args = ['/bin/probe', 'report', 'path=/dev/a/b/null'];
      config.linux.devices = [{ type: 'c', path: '/dev/a/b/null', major: 1, minor: 3, fileMode: 0o666 }];
    });
    expect(paths['/dev/a/b/null']).toMatchObject({ type: 'character', device: '1:3' });
  });
});
