/** config-linux.md "Control groups" of the runtime-spec 1.3: `linux.resources`. */

import type { Int64, Uint64 } from '../int64.ts';

export const DEVICE_RULE_TYPES = ['a', 'b', 'c'] as const;

export type DeviceRuleType = (typeof DEVICE_RULE_TYPES)[number];

/** Rules apply in order. An absent type, major or minor means all, and so does a number of -1. */
export interface DeviceRule {
  readonly allow: boolean;
  readonly type?: DeviceRuleType;
  readonly major?: number;
  readonly minor?: number;
  /** Of the letters r, w, m. */
  readonly access: string;
}

/** In bytes; -1 is no limit. */
export interface Memory {
  readonly limit?: Int64;
  readonly reservation?: Int64;
  /** Memory and swap together. */
  readonly swap?: Int64;
  readonly kernel?: Int64;
  readonly kernelTCP?: Int64;
  readonly swappiness?: number;
  readonly disableOOMKiller?: boolean;
  readonly useHierarchy?: boolean;
  readonly checkBeforeUpdate?: boolean;
}

/** Times are in microseconds. */
export interface Cpu {
  readonly shares?: Uint64;
  readonly quota?: Int64;
  readonly burst?: Uint64;
  readonly period?: Uint64;
  readonly realtimeRuntime?: Int64;
  readonly realtimePeriod?: Uint64;
  /** Lists such as `0-3,7`. */
  readonly cpus?: string;
  readonly mems?: string;
  readonly idle?: number;
}

export interface Pids {
  /** -1 is no limit; 0 is a limit. */
  readonly limit?: Int64;
}

export interface WeightDevice {
  readonly major: number;
  readonly minor: number;
  /** At least one of the two. */
  readonly weight?: number;
  readonly leafWeight?: number;
}

export interface ThrottleDevice {
  readonly major: number;
  readonly minor: number;
  readonly rate: Uint64;
}

export interface BlockIO {
  readonly weight?: number;
  readonly leafWeight?: number;
  readonly weightDevice?: readonly WeightDevice[];
  readonly throttleReadBpsDevice?: readonly ThrottleDevice[];
  readonly throttleWriteBpsDevice?: readonly ThrottleDevice[];
  readonly throttleReadIOPSDevice?: readonly ThrottleDevice[];
  readonly throttleWriteIOPSDevice?: readonly ThrottleDevice[];
}

export interface HugepageLimit {
  /** `2MB`, `1GB`: a part of a file name. */
  readonly pageSize: string;
  readonly limit: Uint64;
}

export interface InterfacePriority {
  readonly name: string;
  readonly priority: number;
}

export interface Network {
  readonly classID?: number;
  readonly priorities?: readonly InterfacePriority[];
}

/** At least one of the two. */
export interface Rdma {
  readonly hcaHandles?: number;
  readonly hcaObjects?: number;
}

export interface Resources {
  readonly devices?: readonly DeviceRule[];
  readonly memory?: Memory;
  readonly cpu?: Cpu;
  readonly pids?: Pids;
  readonly blockIO?: BlockIO;
  readonly hugepageLimits?: readonly HugepageLimit[];
  readonly network?: Network;
  /** By device. */
  readonly rdma?: Readonly<Record<string, Rdma>>;
  /** File name in the cgroup, and what to write. */
  readonly unified?: Readonly<Record<string, string>>;
}
