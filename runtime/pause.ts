// `pause` and `resume`: the cgroup's freezer.
import { cgroupOf, loadContainer } from './container.ts';
import { RuntimeError } from './errors.ts';
import type { StateStore } from './state-store.ts';

/** @throws {RuntimeError} runc's texts */
export async function pauseContainer(store: StateStore, id: string): Promise<void> {
  const { saved, status } = loadContainer(store, id);
  if (status !== 'running' && status !== 'created')
    throw new RuntimeError('NOT_RUNNING', 'container not running');
  using cgroup = cgroupOf(saved);
  if (cgroup === undefined)
    throw new RuntimeError('NO_CGROUP', `cannot pause container ${id}: it has no cgroup`);
  await cgroup.freeze();
}

/** @throws {RuntimeError} runc's texts */
export async function resumeContainer(store: StateStore, id: string): Promise<void> {
  const { saved, status } = loadContainer(store, id);
  if (status !== 'paused') throw new RuntimeError('NOT_PAUSED', 'container not paused');
  using cgroup = cgroupOf(saved);
  await cgroup?.thaw();
}
