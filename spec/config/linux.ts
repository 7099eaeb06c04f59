/** config-linux.md of the runtime-spec 1.3, without resources and seccomp. */

import type { Int64 } from '../int64.ts';
import type { Resources } from './resources.ts';
import type { Seccomp } from './seccomp.ts';

export const NAMESPACE_TYPES = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'] as const;

export type NamespaceType = (typeof NAMESPACE_TYPES)[number];

export interface Namespace {
  readonly type: NamespaceType;
  /** Absolute; absent means a new namespace. */
  readonly path?: string;
}

export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface TimeOffset {
  readonly secs?: Int64;
  readonly nanosecs?: number;
}

/** The two clocks of time_namespaces(7). */
export interface TimeOffsets {
  readonly monotonic?: TimeOffset;
  readonly boottime?: TimeOffset;
}

/** `u` is `c` without buffering, `p` a FIFO. */
export const DEVICE_TYPES = ['c', 'b', 'u', 'p'] as const;

export type DeviceType = (typeof DEVICE_TYPES)[number];

export interface Device {
  readonly type: DeviceType;
  readonly path: string;
  /** Both are present unless `type` is `p`. */
  readonly major?: number;
  readonly minor?: number;
  /** May carry the file type (Docker copies st_mode); the permissions are its low 12 bits. */
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** The key is the name on the host. */
export type NetDevices = Readonly<Record<string, NetDevice>>;

export interface NetDevice {
  /** In the container; a `%d` in it asks the kernel for a free number. */
  readonly name?: string;
}

/** The standard's four, and their recursive forms, which Docker writes and runc takes. */
export const ROOTFS_PROPAGATIONS = [
  'shared',
  'slave',
  'private',
  'unbindable',
  'rshared',
  'rslave',
  'rprivate',
  'runbindable',
] as const;

export type RootfsPropagation = (typeof ROOTFS_PROPAGATIONS)[number];

export interface IntelRdt {
  /** `/` is the default class. */
  readonly closID?: string;
  readonly schemata?: readonly string[];
  readonly l3CacheSchema?: string;
  readonly memBwSchema?: string;
  readonly enableMonitoring?: boolean;
}

export const MEMORY_POLICY_MODES = [
  'MPOL_DEFAULT',
  'MPOL_BIND',
  'MPOL_INTERLEAVE',
  'MPOL_WEIGHTED_INTERLEAVE',
  'MPOL_PREFERRED',
  'MPOL_PREFERRED_MANY',
  'MPOL_LOCAL',
] as const;

export type MemoryPolicyMode = (typeof MEMORY_POLICY_MODES)[number];

export const MEMORY_POLICY_FLAGS = [
  'MPOL_F_NUMA_BALANCING',
  'MPOL_F_RELATIVE_NODES',
  'MPOL_F_STATIC_NODES',
] as const;

export type MemoryPolicyFlag = (typeof MEMORY_POLICY_FLAGS)[number];

export interface MemoryPolicy {
  readonly mode: MemoryPolicyMode;
  readonly nodes?: string;
  readonly flags?: readonly MemoryPolicyFlag[];
}

export const PERSONALITY_DOMAINS = ['LINUX', 'LINUX32'] as const;

export type PersonalityDomain = (typeof PERSONALITY_DOMAINS)[number];

export interface Personality {
  readonly domain: PersonalityDomain;
  /** The standard defines no flag yet, so it is empty. */
  readonly flags?: readonly string[];
}

export interface Linux {
  readonly namespaces?: readonly Namespace[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  readonly timeOffsets?: TimeOffsets;
  readonly devices?: readonly Device[];
  readonly netDevices?: NetDevices;
  readonly cgroupsPath?: string;
  readonly resources?: Resources;
  readonly rootfsPropagation?: RootfsPropagation;
  readonly seccomp?: Seccomp;
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly mountLabel?: string;
  readonly intelRdt?: IntelRdt;
  readonly memoryPolicy?: MemoryPolicy;
  readonly personality?: Personality;
}
