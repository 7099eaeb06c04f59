// Making the cgroup of a new container.
import path from 'node:path';
import { O_PATH } from '../sys/abi/constants.ts';
import { O_DIRECTORY } from '../sys/abi/fcntl.ts';
import { errnoNumber, SysError } from '../sys/errno.ts';
import type { Fd } from '../sys/fd.ts';
import { Root, STRICTLY_BENEATH } from '../sys/path.ts';
import { trySyscall } from '../sys/syscall.ts';
import { Cgroup } from './cgroup.ts';
import { isGone } from './control-file.ts';
import type { Hierarchy } from './hierarchy.ts';
import { belowRoot, removeEmpty } from './remove.ts';

/** A parent that we found can be removed before we are in it, when the container that it was made for ends. */
const VANISHED_PARENTS_MAX = 8;

/**
 * Makes the cgroup at `cgroupPath` (from {@link resolveCgroupPath}), and its parents where they are missing.
 * One that exists is taken if nothing runs in it; it is never removed by us.
 *
 * A new one needs mkdirat and openat2, and openat2 for the parent unless that is the root.
 *
 * @throws {Error} what has been made is removed again
 */
export function createCgroup(hierarchy: Hierarchy, cgroupPath: string): Cgroup {
  for (let attempt = 1; ; attempt++) {
    const made: string[] = [];
    try {
      const fd = makeDirectory(hierarchy.root, cgroupPath, made);
      const cgroup = new Cgroup(hierarchy, cgroupPath, fd, made);
      if (made.length === 0) refuseUsed(cgroup);
      return cgroup;
    } catch (error) {
      removeEmpty(hierarchy.root, made);
      if (!isGone(error) || attempt === VANISHED_PARENTS_MAX) throw error;
    }
  }
}

/** With runc's texts. A container in it would share the fate of strangers, or never start to run. */
function refuseUsed(cgroup: Cgroup): void {
  try {
    const { populated, frozen } = cgroup.state();
    if (populated) {
      throw new Error(`container's cgroup is not empty: ${cgroup.processes().length} process(es) found`);
    }
    if (frozen) throw new Error("container's cgroup unexpectedly frozen");
  } catch (error) {
    cgroup[Symbol.dispose]();
    throw error;
  }
}

/** Makes one directory unless it exists, opens it, and adds to `made` what did not exist. */
function makeDirectory(root: Root, cgroupPath: string, made: string[]): Fd {
  const parentPath = path.dirname(cgroupPath);
  if (parentPath === '/') return makeIn(root.fd, cgroupPath, made);
  using parent =
    root.tryOpenAt(belowRoot(parentPath), O_PATH | O_DIRECTORY) ?? makeDirectory(root, parentPath, made);
  return makeIn(parent, cgroupPath, made);
}

function makeIn(parent: Fd, cgroupPath: string, made: string[]): Fd {
  const name = path.basename(cgroupPath);
  const result = trySyscall('mkdirat', parent.number, name, 0o755);
  if (result === 0) made.push(cgroupPath);
  else if (-result !== errnoNumber('EEXIST')) throw new SysError('mkdir', -result, cgroupPath);
  return new Root(parent, STRICTLY_BENEATH).openAt(name, O_PATH | O_DIRECTORY);
}
