/**
 * Properties that the standard has and this version of hull does not: refused by name, because a limit or a filter that
 * is silently missing is worse than an error. A feature that lands removes its row.
 */

import type { Mount } from './config/mount.ts';
import type { Config } from './config.ts';
import type { SpecError } from './spec-error.ts';

const HULL = 'hull 0.1';

interface Refusal<T> {
  readonly path: string;
  readonly isAsked: (from: T) => boolean;
  readonly what: string;
  readonly remedy?: string;
}

/**
 * Whether a value asks for anything: engines write empty objects, `""` and the zeros and -1 that mean "no limit", and
 * runc takes those as unset.
 */
function asks(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(asks);
  if (typeof value === 'number' || typeof value === 'bigint')
    return Number(value) !== 0 && Number(value) !== -1;
  return value !== undefined && value !== false && value !== '';
}

function hasEntries(value: object | undefined): boolean {
  return value !== undefined && Object.keys(value).length > 0;
}

const resources = (config: Config) => config.linux?.resources ?? {};

// biome-ignore format: a table
const REFUSALS: readonly Refusal<Config>[] = [
  { path: '$.process.apparmorProfile',        isAsked: (c) => asks(c.process?.apparmorProfile),  what: 'AppArmor profiles' },
  { path: '$.process.selinuxLabel',           isAsked: (c) => asks(c.process?.selinuxLabel),     what: 'SELinux labels' },
  { path: '$.process.execCPUAffinity',        isAsked: (c) => asks(c.process?.execCPUAffinity),  what: 'CPU affinity of exec' },
  { path: '$.linux.seccomp',                  isAsked: (c) => c.linux?.seccomp !== undefined,    what: 'seccomp filters' },
  { path: '$.linux.mountLabel',               isAsked: (c) => asks(c.linux?.mountLabel),         what: 'SELinux labels' },
  { path: '$.linux.intelRdt',                 isAsked: (c) => c.linux?.intelRdt !== undefined,   what: 'Intel RDT' },
  { path: '$.linux.netDevices',               isAsked: (c) => hasEntries(c.linux?.netDevices),   what: 'moving network devices' },
  { path: '$.linux.memoryPolicy',             isAsked: (c) => c.linux?.memoryPolicy !== undefined, what: 'NUMA memory policies' },
  { path: '$.linux.resources.memory',         isAsked: (c) => asks(resources(c).memory) || resources(c).memory?.swappiness !== undefined, what: 'memory limits' },
  { path: '$.linux.resources.cpu',            isAsked: (c) => asks(resources(c).cpu),            what: 'CPU limits' },
  { path: '$.linux.resources.pids',           isAsked: (c) => Number(resources(c).pids?.limit ?? -1) >= 0, what: 'limits on the number of processes' },
  { path: '$.linux.resources.blockIO',        isAsked: (c) => asks(resources(c).blockIO),        what: 'block I/O limits' },
  { path: '$.linux.resources.hugepageLimits', isAsked: (c) => hasEntries(resources(c).hugepageLimits), what: 'huge page limits' },
  { path: '$.linux.resources.network',        isAsked: (c) => asks(resources(c).network),        what: 'network classes and priorities' },
  { path: '$.linux.resources.rdma',           isAsked: (c) => hasEntries(resources(c).rdma),     what: 'RDMA limits' },
  { path: '$.linux.resources.unified',        isAsked: (c) => hasEntries(resources(c).unified),  what: 'cgroup v2 settings by file name' },
  { path: '$.vm',                             isAsked: (c) => c.vm !== undefined,                what: 'virtual machine settings' },
];

// biome-ignore format: a table
const MOUNT_REFUSALS: readonly Refusal<Mount>[] = [
  { path: '.uidMappings', isAsked: (mount) => hasEntries(mount.uidMappings),              what: 'id-mapped mounts' },
  { path: '.gidMappings', isAsked: (mount) => hasEntries(mount.gidMappings),              what: 'id-mapped mounts' },
  { path: '.options',     isAsked: (mount) => mount.options?.includes('idmap') ?? false,  what: 'the option idmap',  remedy: 'remove it' },
  { path: '.options',     isAsked: (mount) => mount.options?.includes('ridmap') ?? false, what: 'the option ridmap', remedy: 'remove it' },
];

/** What a valid configuration asks for that this version cannot give. */
export function unsupportedProperties(config: Config): readonly SpecError[] {
  const found = REFUSALS.filter(({ isAsked }) => isAsked(config)).map((refusal) => refuse(refusal, ''));
  config.mounts?.forEach((mount, index) => {
    const refusals = MOUNT_REFUSALS.filter(({ isAsked }) => isAsked(mount));
    found.push(...refusals.map((refusal) => refuse(refusal, `$.mounts[${index}]`)));
  });
  return found;
}

function refuse<T>({ path, what, remedy = 'remove the property' }: Refusal<T>, at: string): SpecError {
  return { path: at + path, rule: `${HULL} does not support ${what} yet; ${remedy} to run without` };
}
