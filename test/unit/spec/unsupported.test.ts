import { describe, expect, it } from 'vitest';
import type { Config } from '../../../spec/config.ts';
import { defaultConfig, rootlessConfig } from '../../../spec/default-config.ts';
import { formatSpecError } from '../../../spec/spec-error.ts';
import { unsupportedProperties } from '../../../spec/unsupported.ts';
import { complaints } from '../../support/complaints.ts';
import { edited } from '../../support/edit-document.ts';
import { FULL_CONFIG } from '../../support/full-config.ts';

const BASE = rootlessConfig(1000, 1000);

function refusals(path: string, value: unknown): readonly string[] {
  const config = edited(BASE, path, value) as Config;
  expect(complaints(config)).toEqual([]);
  return unsupportedProperties(config).map(formatSpecError);
}

const RESOURCES = '$.linux.resources';

// biome-ignore format: a table
const REFUSED: readonly (readonly [path: string, value: unknown, what: string])[] = [
  ['$.linux.seccomp',              { defaultAction: 'SCMP_ACT_ALLOW' },      'seccomp filters'],
  ['$.process.apparmorProfile',    'docker-default',                         'AppArmor profiles'],
  ['$.process.selinuxLabel',       'u:r:t:s0',                               'SELinux labels'],
  ['$.process.execCPUAffinity',    { final: '0' },                           'CPU affinity of exec'],
  ['$.linux.mountLabel',           'u:r:t:s0',                               'SELinux labels'],
  ['$.linux.intelRdt',             {},                                       'Intel RDT'],
  ['$.linux.memoryPolicy',         { mode: 'MPOL_DEFAULT' },                 'NUMA memory policies'],
  [`${RESOURCES}.memory`,          { limit: 1 },                             'memory limits'],
  [`${RESOURCES}.memory`,          { swappiness: 0 },                        'memory limits'],
  [`${RESOURCES}.memory`,          { limit: 9223372036854775807n },          'memory limits'],
  [`${RESOURCES}.cpu`,             { cpus: '0' },                            'CPU limits'],
  [`${RESOURCES}.cpu`,             { shares: 2 },                            'CPU limits'],
  [`${RESOURCES}.pids`,            { limit: 0 },                             'limits on the number of processes'],
  [`${RESOURCES}.blockIO`,         { weight: 10 },                           'block I/O limits'],
  [`${RESOURCES}.hugepageLimits`,  [{ pageSize: '2MB', limit: 0 }],          'huge page limits'],
  [`${RESOURCES}.network`,         { classID: 1 },                           'network classes and priorities'],
  [`${RESOURCES}.rdma`,            { mlx5: { hcaHandles: 0 } },              'RDMA limits'],
  [`${RESOURCES}.unified`,         { 'memory.high': 'max' },                 'cgroup v2 settings by file name'],
  ['$.vm',                         { kernel: { path: '/boot/vmlinuz' } },    'virtual machine settings'],
];

const ASKS_NOTHING: readonly (readonly [path: string, value: unknown])[] = [
  ['$.process.apparmorProfile', ''],
  ['$.process.selinuxLabel', ''],
  ['$.process.execCPUAffinity', {}],
  ['$.linux.mountLabel', ''],
  [RESOURCES, {}],
  [`${RESOURCES}.devices`, [{ allow: false, access: 'rwm' }]],
  [`${RESOURCES}.memory`, {}],
  [`${RESOURCES}.memory`, { limit: -1, swap: 0, disableOOMKiller: false }],
  [`${RESOURCES}.cpu`, { shares: 0, quota: -1, period: 0, cpus: '' }],
  [`${RESOURCES}.pids`, { limit: -1 }],
  [`${RESOURCES}.pids`, {}],
  [`${RESOURCES}.blockIO`, { weightDevice: [] }],
  [`${RESOURCES}.hugepageLimits`, []],
  [`${RESOURCES}.network`, {}],
  [`${RESOURCES}.rdma`, {}],
  [`${RESOURCES}.unified`, {}],
  ['$.linux.netDevices', {}],
  ['$.linux.personality', { domain: 'LINUX32' }],
];

describe('unsupportedProperties()', () => {
  for (const [path, value, what] of REFUSED) {
    it(`refuses ${path} by name`, () => {
      const rule = `hull 0.1 does not support ${what} yet; remove the property to run without`;
      expect(refusals(withResources(path), inResources(path, value))).toEqual([`${path}: ${rule}`]);
    });
  }

  for (const [path, value] of ASKS_NOTHING) {
    it(`lets ${path} pass that asks for nothing`, () => {
      expect(refusals(withResources(path), inResources(path, value))).toEqual([]);
    });
  }

  it('refuses id-mapped mounts, the mappings and the options each', () => {
    const mappings = [{ containerID: 0, hostID: 0, size: 1 }];
    const mount = { destination: '/data', source: '/data' };
    const mounts = [
      { ...mount, options: ['bind'] },
      { ...mount, options: ['rbind', 'ridmap'], uidMappings: mappings, gidMappings: mappings },
      { ...mount, options: ['bind', 'idmap'] },
    ];
    expect(refusals('$.mounts', mounts)).toEqual([
      '$.mounts[1].uidMappings: hull 0.1 does not support id-mapped mounts yet; remove the property to run without',
      '$.mounts[1].gidMappings: hull 0.1 does not support id-mapped mounts yet; remove the property to run without',
      '$.mounts[1].options: hull 0.1 does not support the option ridmap yet; remove it to run without',
      '$.mounts[2].options: hull 0.1 does not support the option idmap yet; remove it to run without',
    ]);
  });

  it('finds netDevices, which need a network namespace', () => {
    const paths = unsupportedProperties(FULL_CONFIG).map((error) => error.path);
    expect(paths).toContain('$.linux.netDevices');
    expect(paths).not.toContain('$.linux.personality');
  });

  it('refuses nothing of what `spec` prints', () => {
    expect(unsupportedProperties(defaultConfig())).toEqual([]);
    expect(unsupportedProperties(rootlessConfig(1000, 1000))).toEqual([]);
  });
});

/** The base has no resources, so a property of them is set together with them. */
function withResources(path: string): string {
  return path.startsWith(`${RESOURCES}.`) ? RESOURCES : path;
}

function inResources(path: string, value: unknown): unknown {
  return path.startsWith(`${RESOURCES}.`) ? { [path.slice(RESOURCES.length + 1)]: value } : value;
}
