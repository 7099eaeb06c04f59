import { chownSync, lchownSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Bundle } from '../support/bundle.ts';
import { addNamespace, type Config } from '../support/config.ts';
import { TestHost } from '../support/host.ts';
import { reportOfBundle } from '../support/probe-report.ts';

const FIRST_ID = 100_000;
const MAP = [{ containerID: 0, hostID: FIRST_ID, size: 65_536 }];

function mapUsers(config: Config): void {
  addNamespace(config, { type: 'user' });
  config.linux.uidMappings = MAP;
  config.linux.gidMappings = MAP;
}

/** The image as an engine prepares it for such a container: owned by the container's root. */
function mappedBundle(host: TestHost, change: (config: Config) => void = () => {}): Bundle {
  const bundle = host.bundle((config) => {
    mapUsers(config);
    change(config);
  });
  chownSync(bundle.rootfs, FIRST_ID, FIRST_ID);
  for (const name of readdirSync(bundle.rootfs, { recursive: true, encoding: 'utf8' })) {
    lchownSync(path.join(bundle.rootfs, name), FIRST_ID, FIRST_ID);
  }
  return bundle;
}

describe('user namespace', () => {
  it('has the id maps of the configuration', async () => {
    await using host = await TestHost.open();
    const bundle = mappedBundle(host, (config) => {
      config.process.args = ['/bin/cat', '/proc/self/uid_map', '/proc/self/gid_map', '/proc/self/setgroups'];
    });
    const { status, stdout } = await host.runtime.run(host.id(), bundle);
    expect(status).toBe(0);
    const words = stdout.split('\n').map((line) => line.trim().split(/ +/).join(' '));
    expect(words).toEqual(['0 100000 65536', '0 100000 65536', 'allow', '']);
  });

  it('makes the process root inside and nobody outside', async () => {
    await using host = await TestHost.open();
    const volume = host.directory('volume', 0o777);
    chownSync(volume, FIRST_ID, FIRST_ID);
    const bundle = mappedBundle(host, (config) => {
      config.mounts.push({ destination: '/tmp', type: 'bind', source: volume, options: ['bind'] });
      config.process.args = [
        '/bin/sh',
        '-c',
        'id -u && echo > /tmp/made && cat /proc/self/status > /tmp/status',
      ];
    });
    expect(await host.runtime.run(host.id(), bundle)).toMatchObject({ status: 0, stdout: '0\n' });
    expect(readFileSync(path.join(volume, 'status'), 'utf8')).toMatch(/^Uid:\t0\t0\t0\t0$/m);
    const { uid, gid } = statSync(path.join(volume, 'made'));
    expect({ uid, gid }).toEqual({ uid: FIRST_ID, gid: FIRST_ID });
  });

  it('has all that any container has', async () => {
    await using host = await TestHost.open();
    const bundle = mappedBundle(host, (config) => {
      config.process.user = { uid: 1000, gid: 1000, additionalGids: [77] };
      addNamespace(config, { type: 'cgroup' });
    });
    const report = await reportOfBundle(host, bundle);
    expect(report.uids.effective).toBe(1000);
    expect(report.groups).toEqual([77]);
    expect(report.devices.null).toMatchObject({ type: 'character', device: '1:3' });
    expect(report.paths['/dev/null']).toMatchObject({ read: 'ok', write: 'ok' });
    expect(report.hostname).toBe('runc');
    expect(report.root.write).not.toBe('ok');
  });

  it('cannot reach a file that its ids do not own', async () => {
    await using host = await TestHost.open();
    const volume = host.directory('volume', 0o755);
    writeFileSync(path.join(volume, 'private'), 'secret', { mode: 0o600 });
    const bundle = mappedBundle(host, (config) => {
      config.mounts.push({ destination: '/tmp', type: 'bind', source: volume, options: ['bind'] });
      config.process.args = ['/bin/probe', 'read', '/tmp/private'];
    });
    expect(await host.runtime.run(host.id(), bundle)).toMatchObject({
      status: 1,
      stdout: 'read /tmp/private: EACCES\n',
    });
  });

  it('runs with exec as the same root', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    const bundle = mappedBundle(host, (config) => {
      config.process.args = ['/bin/probe', 'sleep'];
    });
    expect((await host.runtime.run(id, bundle, { flags: ['--detach'] })).status).toBe(0);
    const { status, stdout } = await host.runtime.exec(id, ['/bin/cat', '/proc/self/uid_map']);
    expect(status).toBe(0);
    expect(stdout.trim().split(/ +/)).toEqual(['0', '100000', '65536']);
  });
});
