/** Rules for `linux.resources` (config-linux.md "Control groups" of the runtime-spec 1.3). */

import {
  type BlockIO,
  type Cpu,
  DEVICE_RULE_TYPES,
  type DeviceRule,
  type HugepageLimit,
  type InterfacePriority,
  type Memory,
  type Network,
  type Pids,
  type Rdma,
  type Resources,
  type ThrottleDevice,
  type WeightDevice,
} from '../config/resources.ts';
import { INT64_MAX } from '../int64.ts';
import {
  also,
  boolean,
  type Check,
  int64,
  integer,
  list,
  object,
  oneOf,
  record,
  required,
  text,
  uint16,
  uint32,
  uint64,
  wideInteger,
} from '../schema.ts';
import { interfaceName, numberList } from './text.ts';

/** -1 is "no limit". */
const limit = wideInteger(-1n, INT64_MAX);

/** int64 in the standard; what a device can have is 12 and 20 bits, and -1 stands for all. */
const ruleNumber = integer(-1, 0xf_ffff);
const deviceNumber = integer(0, 0xf_ffff);

const EMPTY_ACCESS = 'device access field cannot be empty';

const deviceRule = object<DeviceRule>({
  allow: required(boolean),
  type: oneOf(DEVICE_RULE_TYPES),
  major: ruleNumber,
  minor: ruleNumber,
  access: required(
    text({
      empty: EMPTY_ACCESS,
      pattern: { matches: /^[rwm]{1,3}$/, rule: 'must be of the letters r, w and m' },
    }),
    EMPTY_ACCESS,
  ),
});

const memory = object<Memory>({
  limit,
  reservation: limit,
  swap: limit,
  kernel: limit,
  kernelTCP: limit,
  swappiness: integer(0, 100),
  disableOOMKiller: boolean,
  useHierarchy: boolean,
  checkBeforeUpdate: boolean,
});

const cpu = object<Cpu>({
  shares: uint64,
  quota: int64,
  burst: uint64,
  period: uint64,
  realtimeRuntime: int64,
  realtimePeriod: uint64,
  cpus: numberList,
  mems: numberList,
  idle: integer(0, 1),
});

const weightDevice = also(
  object<WeightDevice>({
    major: required(deviceNumber),
    minor: required(deviceNumber),
    weight: uint16,
    leafWeight: uint16,
  }),
  ({ weight, leafWeight }, at, report) => {
    if (weight === undefined && leafWeight === undefined)
      report.add(at, 'must have a weight or a leafWeight');
  },
);

const throttleDevices = list(
  object<ThrottleDevice>({
    major: required(deviceNumber),
    minor: required(deviceNumber),
    rate: required(uint64),
  }),
);

const blockIO = object<BlockIO>({
  weight: uint16,
  leafWeight: uint16,
  weightDevice: list(weightDevice),
  throttleReadBpsDevice: throttleDevices,
  throttleWriteBpsDevice: throttleDevices,
  throttleReadIOPSDevice: throttleDevices,
  throttleWriteIOPSDevice: throttleDevices,
});

/** It becomes a part of a file name: `hugetlb.2MB.max`. */
const pageSize = text({
  pattern: { matches: /^[1-9]\d{0,5}[KMG]B$/, rule: 'must be a page size such as "2MB"' },
});

const rdma = also(object<Rdma>({ hcaHandles: uint32, hcaObjects: uint32 }), (value, at, report) => {
  if (value.hcaHandles === undefined && value.hcaObjects === undefined) {
    report.add(at, 'must have hcaHandles or hcaObjects');
  }
});

/** A key is written to rdma.max in front of its values, which spaces and lines separate. */
function rdmaKey(key: string): string | undefined {
  return /^[^\s\p{Cc}/]{1,64}$/u.test(key) ? undefined : 'must be the name of an RDMA device';
}

/** A key is the name of a file in the container's own cgroup, and must not leave it. */
function unifiedKey(key: string): string | undefined {
  return /^[A-Za-z][\w.]{0,254}$/.test(key) ? undefined : 'must be the name of a file in a cgroup';
}

export const resources: Check<Resources> = object<Resources>({
  devices: list(deviceRule),
  memory,
  cpu,
  pids: object<Pids>({ limit: int64 }),
  blockIO,
  hugepageLimits: list(object<HugepageLimit>({ pageSize: required(pageSize), limit: required(uint64) })),
  network: object<Network>({
    classID: uint32,
    priorities: list(
      object<InterfacePriority>({ name: required(interfaceName), priority: required(uint32) }),
    ),
  }),
  rdma: record(rdma, rdmaKey),
  unified: record(text(), unifiedKey),
});
