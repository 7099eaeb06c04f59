// Removing cgroups: those that were made for a container, and no other.
import path from 'node:path';
import { AT_REMOVEDIR, O_PATH } from '../sys/abi/constants.ts';
import { O_DIRECTORY } from '../sys/abi/fcntl.ts';
import { errnoNumber, isErrno, SysError } from '../sys/errno.ts';
import type { Fd } from '../sys/fd.ts';
import type { Root } from '../sys/path.ts';
import { trySyscall } from '../sys/syscall.ts';
import { processesIn, visitBelow } from './tree.ts';
import { waitUntil } from './wait.ts';

/** The last process may need a moment to leave after SIGKILL. */
export const REMOVE_TIMEOUT_MS = 5000;

/** Makes `/a/b` relative: everything below the root is named from there. */
export const belowRoot = (cgroupPath: string): string => cgroupPath.slice(1);

/** `cgroup` is what lies at `cgroupPath`. @throws {Error} while there are processes in it */
export async function removeCgroupTree(
  root: Root,
  cgroupPath: string,
  cgroup: Fd,
  timeoutMs: number,
): Promise<void> {
  if (removeDirectory(root, cgroupPath)) return;
  const isRemoved = (): boolean => {
    visitBelow(cgroup, (parent, name) => void tryRemove(parent, name));
    return removeDirectory(root, cgroupPath);
  };
  if (await waitUntil(isRemoved, timeoutMs)) return;
  const left = processesIn(cgroup).length;
  throw new Error(`cannot remove cgroup "${cgroupPath}": ${left} process(es) in it after ${timeoutMs} ms`);
}

/** Removes from the innermost outwards, as far as nobody else has put anything there. */
export function removeEmpty(root: Root, paths: readonly string[]): void {
  for (const one of paths.toReversed()) {
    if (!removeDirectory(root, one)) return;
  }
}

/** False: something is in it. @throws {SysError} */
function removeDirectory(root: Root, cgroupPath: string): boolean {
  const relative = belowRoot(cgroupPath);
  const name = path.basename(relative);
  if (name === relative) return tryRemove(root.fd, name);
  try {
    using parent = root.openAt(path.dirname(relative), O_PATH | O_DIRECTORY);
    return tryRemove(parent, name);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    throw error;
  }
}

/** cgroupfs answers EBUSY both for processes and for sub-cgroups. */
function tryRemove(parent: Fd, name: string): boolean {
  const result = trySyscall('unlinkat', parent.number, name, AT_REMOVEDIR);
  if (result === 0 || -result === errnoNumber('ENOENT')) return true;
  if (-result === errnoNumber('EBUSY')) return false;
  throw new SysError('rmdir', -result, name);
}
