/** config-vm.md of the runtime-spec 1.3. Paths are the host's, and absolute. */

import type { Uint64 } from '../int64.ts';

export interface Hypervisor {
  readonly path: string;
  readonly parameters?: readonly string[];
}

export interface Kernel {
  readonly path: string;
  readonly parameters?: readonly string[];
  readonly initrd?: string;
}

export const VM_IMAGE_FORMATS = ['raw', 'qcow2', 'vdi', 'vmdk', 'vhd'] as const;

export type VmImageFormat = (typeof VM_IMAGE_FORMATS)[number];

/** The root of the virtual machine, not of the container. */
export interface VmImage {
  readonly path: string;
  /** `raw` when absent. */
  readonly format?: VmImageFormat;
}

/** In frame numbers. */
export interface IoMem {
  readonly firstGFN?: Uint64;
  readonly firstMFN: Uint64;
  readonly nrMFNs: Uint64;
}

export interface HwConfig {
  readonly deviceTree?: string;
  readonly vcpus?: number;
  /** In bytes. */
  readonly memory?: Uint64;
  readonly dtdevs?: readonly string[];
  readonly iomems?: readonly IoMem[];
  readonly irqs?: readonly number[];
}

export interface Vm {
  readonly hypervisor?: Hypervisor;
  readonly kernel: Kernel;
  readonly image?: VmImage;
  readonly hwConfig?: HwConfig;
}
