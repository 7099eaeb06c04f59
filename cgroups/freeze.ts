// Stopping and resuming all processes of a cgroup.
import type { Fd } from '../sys/fd.ts';
import { writeControl } from './control-file.ts';
import { readState } from './state.ts';
import { waitUntil } from './wait.ts';

/** runc's: 1000 polls of 10 ms. A process in an uninterruptible sleep is what takes long. */
const FREEZE_TIMEOUT_MS = 10_000;

/** @throws {Error} when it is not frozen in time; then it is thawed again: half frozen is of no use to anybody */
export async function freezeCgroup(cgroup: Fd, timeoutMs: number = FREEZE_TIMEOUT_MS): Promise<void> {
  writeControl(cgroup, 'cgroup.freeze', '1');
  if (await waitUntil(() => readState(cgroup).frozen, timeoutMs)) return;
  writeControl(cgroup, 'cgroup.freeze', '0');
  throw new Error(`timeout of ${timeoutMs / 1000}s reached waiting for the cgroup to freeze`);
}

/** @throws {Error} when it stays frozen, as it does below a frozen cgroup */
export async function thawCgroup(cgroup: Fd, timeoutMs: number = FREEZE_TIMEOUT_MS): Promise<void> {
  writeControl(cgroup, 'cgroup.freeze', '0');
  if (await waitUntil(() => !readState(cgroup).frozen, timeoutMs)) return;
  throw new Error(`timeout of ${timeoutMs / 1000}s reached waiting for the cgroup to thaw`);
}
