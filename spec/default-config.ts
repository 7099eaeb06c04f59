/** What `spec` prints: the configuration that runc 1.5 prints (specconv.Example() and ToRootless()), for `hull`. */

import type { Namespace, NamespaceType } from './config/linux.ts';
import type { Mount } from './config/mount.ts';
import type { Config } from './config.ts';
import { OCI_VERSION_MAX } from './version.ts';

export interface DefaultConfigOptions {
  /** runc adds a cgroup namespace on hosts with cgroup v2 alone. */
  readonly cgroupNamespace?: boolean;
}

const CAPABILITIES = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];

// biome-ignore format: a table
const MOUNTS: readonly Mount[] = [
  { destination: '/proc',          type: 'proc',   source: 'proc' },
  { destination: '/dev',           type: 'tmpfs',  source: 'tmpfs',  options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
  { destination: '/dev/pts',       type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'] },
  { destination: '/dev/shm',       type: 'tmpfs',  source: 'shm',    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'] },
  { destination: '/dev/mqueue',    type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/sys',           type: 'sysfs',  source: 'sysfs',  options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'] },
];

/** Leaks of the kernel's state, and files whose reading alone has been an attack. */
const MASKED_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/sys/firmware',
  '/proc/scsi',
];

const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export function defaultConfig(options: DefaultConfigOptions = {}): Config {
  return {
    ociVersion: OCI_VERSION_MAX,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'hull',
    mounts: MOUNTS,
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      namespaces: namespaces(['pid', 'network', 'ipc', 'uts', 'mount'], options, []),
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  };
}

/** For a user without privileges: its own id is root inside, and what only root may ask for is left out. */
export function rootlessConfig(uid: number, gid: number, options: DefaultConfigOptions = {}): Config {
  const config = defaultConfig(options);
  return {
    ...config,
    mounts: MOUNTS.map(rootlessMount),
    linux: {
      uidMappings: [{ containerID: 0, hostID: uid, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: gid, size: 1 }],
      namespaces: namespaces(['pid', 'ipc', 'uts', 'mount'], options, ['user']),
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  };
}

/** sysfs needs a network namespace of its own, and ids beyond the one that is mapped do not exist. */
function rootlessMount(mount: Mount): Mount {
  if (mount.destination === '/sys') {
    return {
      destination: '/sys',
      type: 'none',
      source: '/sys',
      options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'],
    };
  }
  if (mount.options === undefined) return mount;
  return { ...mount, options: mount.options.filter((option) => !/^[ug]id=/.test(option)) };
}

function namespaces(
  first: readonly NamespaceType[],
  { cgroupNamespace = false }: DefaultConfigOptions,
  last: readonly NamespaceType[],
): readonly Namespace[] {
  return [...first, ...(cgroupNamespace ? (['cgroup'] as const) : []), ...last].map((type) => ({ type }));
}

/** As runc writes it, with tabs; and a newline at the end, since it is a text file. */
export function formatConfig(config: Config): string {
  return `${JSON.stringify(config, writeBigInt, '\t')}\n`;
}

/** Integers beyond 2^53 are `bigint` here, and plain digits in the file. */
function writeBigInt(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJson(String(value)) : value;
}

/** `JSON.rawJSON` is in V8 and not yet in the compiler's library. */
function rawJson(text: string): unknown {
  return (JSON as JSON & { rawJSON(text: string): unknown }).rawJSON(text);
}
