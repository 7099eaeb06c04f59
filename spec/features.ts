/**
 * features.md and features-linux.md of the runtime-spec 1.3: what a runtime was built with, whatever the host has.
 * Absent means unknown, an empty list means none.
 */

import type { HookName } from './config/hooks.ts';
import type { MemoryPolicyFlag, MemoryPolicyMode, NamespaceType } from './config/linux.ts';
import type { SeccompAction, SeccompArchitecture, SeccompFlag, SeccompOperator } from './config/seccomp.ts';

export interface Enabled {
  readonly enabled?: boolean;
}

export interface CgroupFeatures {
  readonly v1?: boolean;
  readonly v2?: boolean;
  readonly systemd?: boolean;
  readonly systemdUser?: boolean;
  readonly rdma?: boolean;
}

export interface SeccompFeatures extends Enabled {
  readonly actions?: readonly SeccompAction[];
  readonly operators?: readonly SeccompOperator[];
  readonly archs?: readonly SeccompArchitecture[];
  readonly knownFlags?: readonly SeccompFlag[];
  readonly supportedFlags?: readonly SeccompFlag[];
}

export interface MemoryPolicyFeatures {
  readonly modes?: readonly MemoryPolicyMode[];
  readonly flags?: readonly MemoryPolicyFlag[];
}

export interface IntelRdtFeatures extends Enabled {
  readonly schemata?: boolean;
  readonly monitoring?: boolean;
}

export interface LinuxFeatures {
  readonly namespaces?: readonly NamespaceType[];
  readonly capabilities?: readonly string[];
  readonly cgroup?: CgroupFeatures;
  readonly seccomp?: SeccompFeatures;
  readonly apparmor?: Enabled;
  readonly selinux?: Enabled;
  readonly intelRdt?: IntelRdtFeatures;
  readonly memoryPolicy?: MemoryPolicyFeatures;
  readonly mountExtensions?: { readonly idmap?: Enabled };
  readonly netDevices?: Enabled;
}

export interface Features {
  readonly ociVersionMin: string;
  readonly ociVersionMax: string;
  readonly hooks?: readonly HookName[];
  /** Without those of a file system, which go to it as data. */
  readonly mountOptions?: readonly string[];
  readonly linux?: LinuxFeatures;
  /** No value may contain a newline. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Keys of `config.annotations` that change what the runtime does; one that ends in a dot is a prefix. */
  readonly potentiallyUnsafeConfigAnnotations?: readonly string[];
}
