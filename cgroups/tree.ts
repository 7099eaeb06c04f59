// The cgroups below a cgroup: what a container made where it was given a writable cgroup mount.
import { readdirSync } from 'node:fs';
import { O_PATH } from '../sys/abi/constants.ts';
import { O_DIRECTORY } from '../sys/abi/fcntl.ts';
import { isErrno } from '../sys/errno.ts';
import type { Fd } from '../sys/fd.ts';
import { Root, STRICTLY_BENEATH } from '../sys/path.ts';
import { isGone, readControl } from './control-file.ts';

/**
 * A container can nest as deep as it likes; every level costs us a descriptor and a stack frame. Whoever gives a
 * container a writable cgroup should have the kernel hold it to this, by cgroup.max.depth.
 */
export const NESTING_MAX = 256;

/** Calls `visit` with every cgroup below `top` and its parent, children first. */
export function visitBelow(
  top: Fd,
  visit: (parent: Fd, name: string, cgroup: Fd) => void,
  nesting = 0,
): void {
  for (const name of childNames(top)) {
    if (nesting === NESTING_MAX) throw new RangeError(`sub-cgroups are nested more than ${NESTING_MAX} deep`);
    using child = new Root(top, STRICTLY_BENEATH).tryOpenAt(name, O_PATH | O_DIRECTORY);
    if (child === undefined) continue;
    visitBelow(child, visit, nesting + 1);
    visit(top, name, child);
  }
}

function childNames(cgroup: Fd): string[] {
  try {
    // Not a lookup of a path: the kernel goes from the link straight to the directory that we hold.
    const entries = readdirSync(`/proc/self/fd/${cgroup.number}`, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** The processes in `top` and in all cgroups below it. */
export function processesIn(top: Fd): number[] {
  const pids = new Set(processesOf(top));
  visitBelow(top, (_parent, _name, cgroup) => {
    for (const pid of processesOf(cgroup)) pids.add(pid);
  });
  return [...pids];
}

function processesOf(cgroup: Fd): number[] {
  try {
    return readPids(cgroup);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function readPids(cgroup: Fd): number[] {
  try {
    return parsePids(readControl(cgroup, 'cgroup.procs'));
  } catch (error) {
    // In a threaded cgroup only threads are listed. @see cgroup-v2.rst, "Threads"
    if (!isErrno(error, 'EOPNOTSUPP')) throw error;
    return parsePids(readControl(cgroup, 'cgroup.threads'));
  }
}

/** A process that our pid namespace cannot name is listed as 0. */
const parsePids = (text: string): number[] =>
  text
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0);
