// What the kernel says of a cgroup as a whole, its sub-cgroups included.
import type { Fd } from '../sys/fd.ts';
import { flatKeyedValue, isGone, readControl } from './control-file.ts';

export interface CgroupState {
  /** There are live processes in it. Zombies do not count. */
  readonly populated: boolean;
  /** Every process is stopped; also true of an empty cgroup that was told to freeze. */
  readonly frozen: boolean;
}

/** @see cgroup-v2.rst, "cgroup.events". @throws {SysError} */
export function readState(cgroup: Fd): CgroupState {
  const events = readControl(cgroup, 'cgroup.events');
  return {
    populated: flatKeyedValue(events, 'populated') === '1',
    frozen: flatKeyedValue(events, 'frozen') === '1',
  };
}

/** A cgroup that has been removed was empty. */
export function isPopulated(cgroup: Fd): boolean {
  try {
    return readState(cgroup).populated;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}
