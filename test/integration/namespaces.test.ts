import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { itExcept } from '../support/claim.ts';
import { addNamespace, shareNamespace } from '../support/config.ts';
import { TestHost } from '../support/host.ts';
import { reportOf } from '../support/probe-report.ts';
import { startSleeping } from '../support/running.ts';

/** The runtime-spec's names, and those of /proc/self/ns. */
// biome-ignore format: a table
const TYPES: readonly [type: string, link: string][] = [
  ['pid', 'pid'], ['network', 'net'], ['ipc', 'ipc'], ['uts', 'uts'], ['mount', 'mnt'], ['cgroup', 'cgroup'],
];

const hostNamespace = (link: string): string => readlinkSync(`/proc/self/ns/${link}`);

describe('namespaces', () => {
  it("of the configuration are new, the others the caller's", async () => {
    await using host = await TestHost.open();
    const { namespaces } = await reportOf(host);
    for (const link of ['pid', 'net', 'ipc', 'uts', 'mnt']) {
      expect(namespaces[link], link).not.toBe(hostNamespace(link));
    }
    for (const link of ['user', 'cgroup', 'time']) expect(namespaces[link], link).toBe(hostNamespace(link));
  });

  it('can be a cgroup namespace, in which the own cgroup is the root', async () => {
    await using host = await TestHost.open();
    const { namespaces, cgroups } = await reportOf(host, (config) =>
      addNamespace(config, { type: 'cgroup' }),
    );
    expect(namespaces.cgroup).not.toBe(hostNamespace('cgroup'));
    for (const line of cgroups) expect(line).toMatch(/:\/$/);
  });

  for (const [type, link] of TYPES) {
    if (type === 'mount') continue;
    it(`of type ${type} are shared with the caller when they are not listed`, async () => {
      await using host = await TestHost.open();
      const { namespaces } = await reportOf(host, (config) => {
        shareNamespace(config, type);
        // Without its namespace, the name is the host's, and sysfs and mqueue cannot be mounted by everybody.
        if (type === 'uts') delete config.hostname;
      });
      expect(namespaces[link]).toBe(hostNamespace(link));
    });
  }

  for (const [type, link] of TYPES) {
    if (type === 'mount') continue;
    it(`of type ${type} can be joined by a path`, async () => {
      await using host = await TestHost.open();
      const first = await startSleeping(host, (config) => {
        addNamespace(config, { type: 'cgroup' });
        config.hostname = 'the-first';
      });
      const { pid } = await host.runtime.state(first);
      const { namespaces, hostname } = await reportOf(host, (config) => {
        addNamespace(config, { type, path: `/proc/${pid}/ns/${link}` });
        if (type === 'uts') delete config.hostname;
      });
      expect(namespaces[link]).toBe(readlinkSync(`/proc/${pid}/ns/${link}`));
      if (type === 'uts') expect(hostname).toBe('the-first');
    });
  }

  // runc looks for the bundle in that namespace, and makes another root in it.
  itExcept('runc 1.1.5')('of type mount that is joined is used as it is, with its root', async () => {
    await using host = await TestHost.open();
    const first = await startSleeping(host, (config) => {
      config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'of the first' });
    });
    const { pid } = await host.runtime.state(first);
    const { namespaces, mounts } = await reportOf(host, (config) => {
      addNamespace(config, { type: 'mount', path: `/proc/${pid}/ns/mnt` });
      addNamespace(config, { type: 'pid', path: `/proc/${pid}/ns/pid` });
      config.mounts = [];
    });
    expect(namespaces.mnt).toBe(readlinkSync(`/proc/${pid}/ns/mnt`));
    expect(mounts.map(({ source }) => source)).toContain('of the first');
  });

  // Without mappings of its own in config.json: since runc 1.2.
  itExcept('runc 1.1.5')('of users can be joined by a path, with the ids that are mapped there', async () => {
    await using host = await TestHost.open();
    const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    const users = { uidMappings: map, gidMappings: map };
    const first = await startSleeping(host, (config) => {
      addNamespace(config, { type: 'user' });
      Object.assign(config.linux, users);
    });
    const { pid } = await host.runtime.state(first);
    const { namespaces, uids } = await reportOf(host, (config) => {
      for (const [type, link] of [
        ['user', 'user'],
        ['network', 'net'],
        ['ipc', 'ipc'],
      ] as const) {
        addNamespace(config, { type, path: `/proc/${pid}/ns/${link}` });
      }
    });
    expect(namespaces.user).toBe(readlinkSync(`/proc/${pid}/ns/user`));
    expect(uids.effective).toBe(0);
  });

  itExcept('runc 1.1.5')('of time can be joined by a path, with the offsets there', async () => {
    await using host = await TestHost.open();
    const first = await startSleeping(host, (config) => {
      addNamespace(config, { type: 'time' });
      config.linux.timeOffsets = { boottime: { secs: 7000 } };
    });
    const { pid } = await host.runtime.state(first);
    const { namespaces, timeOffsets } = await reportOf(host, (config) =>
      addNamespace(config, { type: 'time', path: `/proc/${pid}/ns/time` }),
    );
    expect(namespaces.time).toBe(readlinkSync(`/proc/${pid}/ns/time`));
    expect(timeOffsets).toMatch(/^boottime +7000 +0$/m);
  });

  it('that are joined outlive the container', async () => {
    await using host = await TestHost.open();
    const first = await startSleeping(host);
    const { pid } = await host.runtime.state(first);
    await reportOf(host, (config) => addNamespace(config, { type: 'network', path: `/proc/${pid}/ns/net` }));
    expect((await host.runtime.state(first)).status).toBe('running');
  });

  it('of the network have a loopback device that is up', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/ip', 'addr'];
    });
    const { stdout } = await host.runtime.run(host.id(), bundle);
    expect(stdout).toMatch(/lo: <LOOPBACK,UP,LOWER_UP>/);
    expect(stdout).toContain('127.0.0.1/8');
    expect(stdout.match(/^\d+:/gm)).toHaveLength(countDevicesOfNewNamespace());
  });

  for (const [what, namespaces] of [
    ['a type that is listed twice', [{ type: 'ipc' }, { type: 'ipc' }]],
    ['a type that there is not', [{ type: 'colour' }]],
    ['a path that is not there', [{ type: 'network', path: '/nonexistent/ns' }]],
    ['a path of another type', [{ type: 'network', path: '/proc/self/ns/uts' }]],
    ['a path that is no namespace', [{ type: 'network', path: '/etc/passwd' }]],
  ] as const) {
    it(`refuse ${what}, with nothing left`, async () => {
      await using host = await TestHost.open();
      const bundle = host.bundle((config) => {
        for (const namespace of namespaces) shareNamespace(config, namespace.type);
        config.linux.namespaces.push(...namespaces);
      });
      expect((await host.runtime.run(host.id(), bundle)).status).toBe(1);
      expect(await host.differences()).toEqual([]);
    });
  }

  // Time namespaces came with runc 1.2.
  itExcept('runc 1.1.5')('can be a time namespace, with offsets', async () => {
    await using host = await TestHost.open();
    const { namespaces, clocks, timeOffsets } = await reportOf(host, (config) => {
      addNamespace(config, { type: 'time' });
      config.linux.timeOffsets = { monotonic: { secs: 1000 }, boottime: { secs: 100_000 } };
    });
    expect(namespaces.time).not.toBe(hostNamespace('time'));
    expect(timeOffsets).toMatch(/^monotonic +1000 +0\nboottime +100000 +0\n$/);
    const uptime = Number(execFileSync('cat', ['/proc/uptime'], { encoding: 'utf8' }).split(' ')[0]);
    expect(Math.abs(clocks.boottime - uptime - 100_000)).toBeLessThan(60);
  });
});

/** Kernels with certain modules put tunnel devices in each new network namespace. */
function countDevicesOfNewNamespace(): number {
  return execFileSync('unshare', ['-n', 'ls', '/proc/self/root/proc/sys/net/ipv4/conf'], { encoding: 'utf8' })
    .split('\n')
    .filter((name) => name !== '' && name !== 'all' && name !== 'default').length;
}
