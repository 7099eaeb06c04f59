/** Rules for `linux` without resources and seccomp (config-linux.md of the runtime-spec 1.3). */

import {
  DEVICE_TYPES,
  type Device,
  type IntelRdt,
  type Linux,
  MEMORY_POLICY_FLAGS,
  MEMORY_POLICY_MODES,
  type MemoryPolicy,
  NAMESPACE_TYPES,
  type Namespace,
  type NetDevice,
  type NetDevices,
  PERSONALITY_DOMAINS,
  type Personality,
  ROOTFS_PROPAGATIONS,
  type TimeOffset,
  type TimeOffsets,
} from '../config/linux.ts';
import {
  absolutePath,
  also,
  boolean,
  type Check,
  distinct,
  int64,
  integer,
  list,
  object,
  oneOf,
  path,
  type Rule,
  record,
  required,
  text,
} from '../schema.ts';
import { memberPath, quote } from '../spec-error.ts';
import { id, idMappings } from './id-mappings.ts';
import { resources } from './resources.ts';
import { seccomp } from './seccomp.ts';
import { sysctl } from './sysctl.ts';
import { hasControlCharacter, interfaceName, numberList } from './text.ts';

/** The kernel's dev_t: 12 and 20 bits. */
const MAJOR_MAX = 0xfff;
const MINOR_MAX = 0xf_ffff;

/** NAME_MAX: the class becomes a directory of resctrl. */
const CLOS_ID_BYTES_MAX = 255;

const namespaces = also(
  list(object<Namespace>({ type: required(oneOf(NAMESPACE_TYPES)), path: absolutePath() })),
  distinct('type'),
);

const timeOffset = object<TimeOffset>({
  secs: int64,
  nanosecs: integer(0, 999_999_999),
});

const timeOffsets: Check<TimeOffsets> = also(
  object<TimeOffsets>({ monotonic: timeOffset, boottime: timeOffset }),
  (value, at, report) => {
    for (const clock of Object.keys(value)) {
      if (clock !== 'monotonic' && clock !== 'boottime') {
        report.add(memberPath(at, clock), 'must be "monotonic" or "boottime"');
      }
    }
  },
);

const deviceHasNumbers: Rule<Device> = (device, at, report) => {
  if (device.type === 'p') return;
  if (device.major === undefined) report.add(`${at}.major`, 'is required');
  if (device.minor === undefined) report.add(`${at}.minor`, 'is required');
};

const device = also(
  object<Device>({
    type: required(oneOf(DEVICE_TYPES)),
    path: required(absolutePath()),
    major: integer(0, MAJOR_MAX),
    minor: integer(0, MINOR_MAX),
    fileMode: integer(0, 0o177777),
    uid: id,
    gid: id,
  }),
  deviceHasNumbers,
);

/** A file that is not the requested device is an error, so two different devices cannot share a path. */
const onePathOneDevice: Rule<readonly Device[]> = (devices, at, report) => {
  const byPath = new Map<string, Device>();
  devices.forEach((entry, index) => {
    const first = byPath.get(entry.path) ?? entry;
    byPath.set(entry.path, first);
    const isSame = first.type === entry.type && first.major === entry.major && first.minor === entry.minor;
    if (!isSame) report.add(`${at}[${index}].path`, `must not name ${quote(entry.path)} for another device`);
  });
};

const netDevices: Check<NetDevices> = also(
  record(object<NetDevice>({ name: interfaceName }), (key) =>
    /^(?!\.\.?$)[^/:\s]{1,15}$/.test(key) ? undefined : 'must be the name of a network interface',
  ),
  (value, at, report) => {
    const taken = new Set<string>();
    for (const [host, { name = host }] of Object.entries(value)) {
      if (taken.has(name) && !name.includes('%d'))
        report.add(memberPath(at, host), `must not repeat ${quote(name)}`);
      taken.add(name);
    }
  },
);

/** Joined to the mount point of the cgroup file system, or a systemd triple; either way it must not lead out. */
const cgroupsPath = also(path(), (value, at, report) => {
  if (value.split(/[/:]/).includes('..')) report.add(at, 'must not contain ".."');
  if (hasControlCharacter(value)) report.add(at, 'must not contain control characters');
});

const schemaLine = text({ pattern: { matches: /^[^\n]*$/, rule: 'must not contain newlines' } });

const intelRdt = object<IntelRdt>({
  closID: text({
    bytesMax: CLOS_ID_BYTES_MAX,
    empty: 'must not be empty',
    pattern: { matches: /^(?:\/|(?!\.\.?$)[^/\p{Cc}]+)$/u, rule: 'must be "/" or the name of a directory' },
  }),
  schemata: list(schemaLine),
  l3CacheSchema: text(),
  memBwSchema: text({
    pattern: { matches: /^MB:[^\n]*$/, rule: 'must start with "MB:" and not contain newlines' },
  }),
  enableMonitoring: boolean,
});

/** set_mempolicy(2). */
const memoryPolicyRule: Rule<MemoryPolicy> = ({ mode, nodes = '', flags = [] }, at, report) => {
  const isWithoutNodes = mode === 'MPOL_DEFAULT' || mode === 'MPOL_LOCAL';
  if (isWithoutNodes && nodes !== '') report.add(`${at}.nodes`, `must be empty for ${mode}`);
  if (!isWithoutNodes && mode !== 'MPOL_PREFERRED' && nodes === '') {
    report.add(`${at}.nodes`, `must not be empty for ${mode}`);
  }
  if (flags.includes('MPOL_F_STATIC_NODES') && flags.includes('MPOL_F_RELATIVE_NODES')) {
    report.add(`${at}.flags`, 'must not have both MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES');
  }
};

const memoryPolicy = also(
  object<MemoryPolicy>({
    mode: required(oneOf(MEMORY_POLICY_MODES)),
    nodes: numberList,
    flags: list(oneOf(MEMORY_POLICY_FLAGS)),
  }),
  memoryPolicyRule,
);

const personality = object<Personality>({
  domain: required(oneOf(PERSONALITY_DOMAINS)),
  flags: also(list(text()), (flags, at, report) => {
    if (flags.length > 0) report.add(at, 'must be empty: the standard defines no flag');
  }),
});

export const linux: Check<Linux> = object<Linux>({
  namespaces,
  uidMappings: idMappings,
  gidMappings: idMappings,
  timeOffsets,
  devices: also(list(device), onePathOneDevice),
  netDevices,
  cgroupsPath,
  resources,
  rootfsPropagation: oneOf(ROOTFS_PROPAGATIONS),
  seccomp,
  sysctl,
  maskedPaths: list(absolutePath()),
  readonlyPaths: list(absolutePath()),
  mountLabel: text(),
  intelRdt,
  memoryPolicy,
  personality,
});
