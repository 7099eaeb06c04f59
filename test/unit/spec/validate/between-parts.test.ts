import { describe, expect, it } from 'vitest';
import type { NamespaceType } from '../../../../spec/config/linux.ts';
import type { Config } from '../../../../spec/config.ts';
import { complaints } from '../../../support/complaints.ts';

const BASE: Config = { ociVersion: '1.3.0', root: { path: 'rootfs' } };

const MAPPINGS = [{ containerID: 0, hostID: 1000, size: 10 }];

function withNamespaces(types: readonly NamespaceType[], path?: string): Config {
  const namespaces = types.map((type) => (path === undefined ? { type } : { type, path }));
  return { ...BASE, linux: { namespaces } };
}

function withLinux(config: Config, linux: Config['linux']): Config {
  return { ...config, linux: { ...config.linux, ...linux } };
}

const sysctl = (...keys: string[]) => ({ sysctl: Object.fromEntries(keys.map((key) => [key, '1'])) });

interface Case {
  readonly name: string;
  readonly needs: NamespaceType;
  readonly parts: Omit<Config, 'ociVersion' | 'root'>;
  readonly complaint: string;
}

// biome-ignore format: a table
const CASES: readonly Case[] = [
  { name: 'hostname',      needs: 'uts',     parts: { hostname: 'h' },                                   complaint: '$.hostname: unable to set hostname without a private UTS namespace' },
  { name: 'domainname',    needs: 'uts',     parts: { domainname: 'd' },                                 complaint: '$.domainname: unable to set domainname without a private UTS namespace' },
  { name: 'maskedPaths',   needs: 'mount',   parts: { linux: { maskedPaths: ['/proc/kcore'] } },         complaint: '$.linux.maskedPaths: unable to restrict sys entries without a private MNT namespace' },
  { name: 'readonlyPaths', needs: 'mount',   parts: { linux: { readonlyPaths: ['/proc/sys'] } },         complaint: '$.linux.readonlyPaths: unable to restrict sys entries without a private MNT namespace' },
  { name: 'timeOffsets',   needs: 'time',    parts: { linux: { timeOffsets: { monotonic: { secs: 1 } } } }, complaint: "$.linux.timeOffsets: time namespace offsets specified, but time namespace isn't enabled in the config" },
  { name: 'netDevices',    needs: 'network', parts: { linux: { netDevices: { eth0: {} } } },             complaint: '$.linux.netDevices: unable to move network devices without a private NET namespace' },
  { name: 'net sysctl',    needs: 'network', parts: { linux: sysctl('net.ipv4.ip_forward') },            complaint: '$.linux.sysctl["net.ipv4.ip_forward"]: sysctl "net.ipv4.ip_forward" not allowed in host network namespace' },
  { name: 'ipc sysctl',    needs: 'ipc',     parts: { linux: sysctl('kernel/msgmax') },                  complaint: '$.linux.sysctl["kernel/msgmax"]: sysctl "kernel.msgmax" is not allowed in the hosts ipc namespace' },
  { name: 'mqueue sysctl', needs: 'ipc',     parts: { linux: sysctl('fs.mqueue.msg_max') },              complaint: '$.linux.sysctl["fs.mqueue.msg_max"]: sysctl "fs.mqueue.msg_max" is not allowed in the hosts ipc namespace' },
  { name: 'uts sysctl',    needs: 'uts',     parts: { linux: sysctl('kernel.domainname') },              complaint: '$.linux.sysctl["kernel.domainname"]: sysctl "kernel.domainname" is not in a separate kernel namespace' },
];

describe('a setting that needs a namespace', () => {
  for (const { name, needs, parts, complaint } of CASES) {
    it(`${name} is refused without a ${needs} namespace, and accepted with one`, () => {
      expect(complaints({ ...BASE, ...parts })).toEqual([complaint]);
      const others = (['pid', 'cgroup'] as const).map((type) => ({ type }));
      const without = { ...BASE, ...parts, linux: { ...parts.linux, namespaces: others } };
      expect(complaints(without)).toEqual([complaint]);
      const namespaces = [...others, { type: needs }];
      expect(complaints({ ...BASE, ...parts, linux: { ...parts.linux, namespaces } })).toEqual([]);
    });
  }

  it('is not asked for by an empty one', () => {
    expect(
      complaints({ ...BASE, hostname: '', linux: { maskedPaths: [], timeOffsets: {}, uidMappings: [] } }),
    ).toEqual([]);
  });

  it('user sysctls are refused without a user namespace, and accepted with one', () => {
    const settings = sysctl('user.max_mnt_namespaces');
    expect(complaints(withLinux(BASE, settings))).toEqual([
      '$.linux.sysctl["user.max_mnt_namespaces"]: sysctl "user.max_mnt_namespaces" is not allowed in the hosts user namespace',
    ]);
    const joined = withLinux(withNamespaces(['user'], '/proc/1234/ns/user'), settings);
    expect(complaints(joined)).toEqual([]);
  });
});

describe('a user namespace', () => {
  it('must exist for mappings to be given', () => {
    const rule = "user namespace mappings specified, but user namespace isn't enabled in the config";
    expect(complaints(withLinux(BASE, { uidMappings: MAPPINGS, gidMappings: MAPPINGS }))).toEqual([
      `$.linux.uidMappings: ${rule}`,
      `$.linux.gidMappings: ${rule}`,
    ]);
  });

  it('needs mappings when it is new', () => {
    const noUid = '$.linux.uidMappings: user namespaces enabled, but no uid mappings found';
    const noGid = '$.linux.gidMappings: user namespaces enabled, but no gid mappings found';
    const config = withNamespaces(['user']);
    expect(complaints(config)).toEqual([noUid, noGid]);
    expect(complaints(withLinux(config, { uidMappings: MAPPINGS, gidMappings: [] }))).toEqual([noGid]);
    expect(complaints(withLinux(config, { uidMappings: MAPPINGS, gidMappings: MAPPINGS }))).toEqual([]);
  });

  it('brings its own when it is joined; containerd gives them too', () => {
    const config = withNamespaces(['user'], '/proc/1234/ns/user');
    expect(complaints(config)).toEqual([]);
    expect(complaints(withLinux(config, { uidMappings: MAPPINGS, gidMappings: MAPPINGS }))).toEqual([]);
  });

  it('must map every id of the process', () => {
    const config = withLinux(withNamespaces(['user']), { uidMappings: MAPPINGS, gidMappings: MAPPINGS });
    const run = (user: object | undefined) =>
      complaints({ ...config, process: { cwd: '/', args: ['sh'], user } });
    expect(run(undefined)).toEqual([]);
    expect(run({ uid: 9, gid: 9, additionalGids: [0, 5] })).toEqual([]);
    expect(run({ uid: 10, gid: 11, additionalGids: [5, 12] })).toEqual([
      '$.process.user.uid: user namespaces enabled, but no mapping found for uid 10',
      '$.process.user.gid: user namespaces enabled, but no mapping found for gid 11',
      '$.process.user.additionalGids[1]: user namespaces enabled, but no mapping found for gid 12',
    ]);
    const shifted = [{ containerID: 1, hostID: 1000, size: 10 }];
    const withoutRoot = withLinux(config, { uidMappings: shifted, gidMappings: shifted });
    expect(complaints({ ...withoutRoot, process: { cwd: '/', args: ['sh'] } })).toEqual([
      '$.process.user.uid: user namespaces enabled, but no mapping found for uid 0',
      '$.process.user.gid: user namespaces enabled, but no mapping found for gid 0',
    ]);
  });
});

describe('a time namespace', () => {
  it('that is joined keeps its offsets', () => {
    const offsets = { timeOffsets: { boottime: { secs: 5 } } };
    expect(complaints(withLinux(withNamespaces(['time']), offsets))).toEqual([]);
    expect(complaints(withLinux(withNamespaces(['time'], '/run/time'), offsets))).toEqual([
      '$.linux.timeOffsets: must be absent when an existing time namespace is joined',
    ]);
  });
});

describe('an id-mapped mount', () => {
  const mount = { destination: '/data', source: '/data', options: ['bind', 'idmap'] };

  it('needs a mapping of its own or a user namespace', () => {
    expect(complaints({ ...BASE, mounts: [mount] })).toEqual([
      '$.mounts[0].options: idmap needs uidMappings and gidMappings, or a user namespace',
    ]);
    expect(
      complaints({ ...BASE, mounts: [{ ...mount, uidMappings: MAPPINGS, gidMappings: MAPPINGS }] }),
    ).toEqual([]);
    const config = withLinux(withNamespaces(['user']), { uidMappings: MAPPINGS, gidMappings: MAPPINGS });
    expect(complaints({ ...config, mounts: [mount] })).toEqual([]);
  });
});
