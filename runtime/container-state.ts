// The runtime-spec's state of a container, from what was saved and what the kernel says now.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { State, Status } from '../spec/state.ts';
import { isAlive } from './process-identity.ts';
import type { SavedState } from './state-store.ts';

export type { Status };

/** `created` from create to start, as long as the exec fifo exists; paused is for the cgroup to say. */
export function statusOf(
  saved: SavedState,
  directory: string,
  isFrozen: (saved: SavedState) => boolean,
): Status {
  if (saved.process === undefined || !isAlive(saved.process)) return 'stopped';
  if (existsSync(join(directory, 'exec.fifo'))) return 'created';
  return isFrozen(saved) ? 'paused' : 'running';
}

/** For hooks and `hull state`. `pid` is left out where there is no process. */
export function specState(saved: SavedState, status: Status, pid: number): State {
  return {
    ociVersion: saved.ociVersion,
    id: saved.id,
    status,
    ...(status === 'stopped' ? {} : { pid }),
    bundle: saved.bundle,
    ...(saved.annotations === undefined ? {} : { annotations: saved.annotations }),
  };
}
