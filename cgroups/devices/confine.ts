// The devices of a new container: which refusals of the kernel it may start in spite of.
import type { Fd } from '../../sys/fd.ts';
import { attachDeviceFilter } from './attach.ts';
import { assembleDeviceFilter } from './filter.ts';
import { allowsEverything, type DevicePolicy } from './policy.ts';

/**
 * Enforces `policy` on a cgroup that was just made; whether there is a filter now.
 *
 * Fails closed: without the filter, root in the container could make a node of the host's disk and open it. Not so when
 * the runtime itself is in a user namespace or not root: bpf(2) is refused, but so are such nodes by the kernel.
 *
 * @throws {Error} unless `isRootless`
 */
export function confineDevices(cgroup: Fd, policy: DevicePolicy, isRootless: boolean): boolean {
  if (allowsEverything(policy)) return false;
  const program = assembleDeviceFilter(policy);
  try {
    attachDeviceFilter(cgroup, program);
    return true;
  } catch (error) {
    if (isRootless) return false;
    throw new Error(`cannot confine devices: ${(error as Error).message}`, { cause: error });
  }
}
