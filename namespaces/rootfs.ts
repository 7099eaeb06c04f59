// From the host's mounts to the container's root.

import type { RootfsPropagation } from '../spec/config/linux.ts';
import {
  AT_FDCWD,
  MNT_DETACH,
  MS_PRIVATE,
  MS_REC,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  O_PATH,
} from '../sys/abi/constants.ts';
import { O_DIRECTORY } from '../sys/abi/fcntl.ts';
import { cString, flags, type Program, slot } from '../sys/plan/program.ts';
import { attach } from './mount-steps.ts';
import { close, openAt } from './paths.ts';

/** The detached clone of the root file system, and after it is attached the container's root. */
export const ROOT = slot('root');

// biome-ignore format: a table
const PROPAGATIONS: Readonly<Record<RootfsPropagation, number>> = {
  shared: MS_SHARED, slave: MS_SLAVE, private: MS_PRIVATE, unbindable: MS_UNBINDABLE,
  rshared: MS_SHARED | MS_REC, rslave: MS_SLAVE | MS_REC, rprivate: MS_PRIVATE | MS_REC,
  runbindable: MS_UNBINDABLE | MS_REC,
};

const setPropagation = (p: Program, label: string, value: number, text: string): void =>
  p.call(label, 'mount', [0, cString('/'), 0, flags(value, text), 0]);

/** Nothing that is mounted from here on reaches the host. */
export function leaveHostMounts(p: Program): void {
  setPropagation(p, 'cut the mounts off from the host', MS_SLAVE | MS_REC, 'MS_SLAVE|MS_REC');
}

export function attachRootfs(p: Program, rootfs: string): void {
  const target = slot('rootfs.path');
  const label = `open the root file system ${JSON.stringify(rootfs)}`;
  openAt(p, label, AT_FDCWD, rootfs, target, { flags: O_PATH | O_DIRECTORY, resolve: 0 });
  attach(p, ROOT, target, 'the root file system');
  close(p, target);
}

/**
 * pivot_root(2) onto the root itself, and the old one away: from here on no name leads to the host.
 * @see pivot_root(2), "pivot_root(".", ".")"
 */
export function pivot(p: Program): void {
  p.call("enter the container's root", 'fchdir', [ROOT]);
  p.call('make it the root', 'pivot_root', [cString('.'), cString('.')]);
  p.call("detach the host's root", 'umount2', [cString('.'), flags(MNT_DETACH, 'MNT_DETACH')]);
  p.call("enter the container's root", 'chdir', [cString('/')]);
}

/** linux.rootfsPropagation, once the host cannot be reached any more. */
export function setRootPropagation(p: Program, propagation: RootfsPropagation | undefined): void {
  if (propagation === undefined) return;
  setPropagation(p, `make the root ${propagation}`, PROPAGATIONS[propagation], propagation);
}
