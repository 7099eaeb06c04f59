/** Rules for `vm` (config-vm.md of the runtime-spec 1.3). */

import {
  type HwConfig,
  type Hypervisor,
  type IoMem,
  type Kernel,
  VM_IMAGE_FORMATS,
  type Vm,
  type VmImage,
} from '../config/vm.ts';
import {
  absolutePath,
  type Check,
  list,
  object,
  oneOf,
  path,
  required,
  text,
  uint32,
  uint64,
} from '../schema.ts';

const parameters = list(text());

export const vm: Check<Vm> = object<Vm>({
  hypervisor: object<Hypervisor>({ path: required(absolutePath()), parameters }),
  kernel: required(object<Kernel>({ path: required(absolutePath()), parameters, initrd: absolutePath() })),
  image: object<VmImage>({ path: required(absolutePath()), format: oneOf(VM_IMAGE_FORMATS) }),
  hwConfig: object<HwConfig>({
    deviceTree: absolutePath(),
    vcpus: uint32,
    memory: uint64,
    dtdevs: list(path()),
    iomems: list(object<IoMem>({ firstGFN: uint64, firstMFN: required(uint64), nrMFNs: required(uint64) })),
    irqs: list(uint32),
  }),
});
