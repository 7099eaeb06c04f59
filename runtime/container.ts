// A container that exists, as every command but create meets it.

import type { Cgroup } from '../cgroups/cgroup.ts';
import { openCgroup } from '../cgroups/cgroup.ts';
import type { Status } from '../spec/state.ts';
import { isErrno } from '../sys/errno.ts';
import { statusOf } from './container-state.ts';
import { RuntimeError } from './errors.ts';
import { hostHierarchy } from './host-cgroups.ts';
import { isAlive, openProcess, sendSignal } from './process-identity.ts';
import type { SavedState, StateStore } from './state-store.ts';

const SIGKILL = 9;

export interface Container {
  readonly saved: SavedState;
  readonly directory: string;
  readonly status: Status;
}

/** @throws {RuntimeError} `container does not exist` */
export function loadContainer(store: StateStore, id: string): Container {
  const saved = store.read(id);
  const directory = store.directory(id);
  return { saved, directory, status: statusOf(saved, directory, isFrozen) };
}

export function isFrozen(saved: SavedState): boolean {
  using cgroup = cgroupOf(saved);
  return cgroup?.state().frozen ?? false;
}

/** The container's cgroup, or undefined when it has none (any more). */
export function cgroupOf(saved: SavedState): Cgroup | undefined {
  const host = hostHierarchy();
  if (host === undefined || saved.cgroup === undefined) return undefined;
  return openCgroup(host, saved.cgroup);
}

/** The pid that `hull state` shows: 0 when stopped. */
export const shownPid = ({ saved, status }: Container): number =>
  status === 'stopped' ? 0 : (saved.process?.pid ?? 0);

export interface KillOptions {
  /** Obsolete in runc: says only that a container that does not run is no error. */
  readonly all: boolean;
}

/** @throws {RuntimeError} `container not running` */
export async function killContainer(
  container: Container,
  signal: number,
  { all }: KillOptions,
): Promise<void> {
  const { saved, status } = container;
  if (status === 'stopped') {
    if (all) return;
    throw new RuntimeError('NOT_RUNNING', 'container not running');
  }
  if (signal === SIGKILL && !saved.ownPidNamespace) {
    // The first process does not take the others with it, so the cgroup has to.
    using cgroup = cgroupOf(saved);
    await cgroup?.kill();
    return;
  }
  signalInit(saved, signal);
  if (signal === SIGKILL && status === 'paused') {
    using cgroup = cgroupOf(saved);
    await cgroup?.thaw();
  }
}

function signalInit(saved: SavedState, signal: number): void {
  using pidfd = saved.process === undefined ? undefined : openProcess(saved.process);
  if (pidfd === undefined) throw new RuntimeError('NOT_RUNNING', 'container not running');
  try {
    sendSignal(pidfd, signal);
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
    throw new RuntimeError('NOT_RUNNING', 'container not running');
  }
}

/** Kills whatever of the container is left, init first. */
export async function killAll(saved: SavedState): Promise<void> {
  if (saved.process !== undefined && isAlive(saved.process)) signalIfThere(saved);
  using cgroup = cgroupOf(saved);
  await cgroup?.kill();
}

function signalIfThere(saved: SavedState): void {
  try {
    signalInit(saved, SIGKILL);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
  }
}
