// Killing every process of a cgroup, whatever it forks meanwhile.
import { SIGKILL } from '../sys/abi/constants.ts';
import { isErrno } from '../sys/errno.ts';
import { Fd } from '../sys/fd.ts';
import { trySyscall } from '../sys/syscall.ts';
import { isGone, writeControl } from './control-file.ts';
import { isPopulated, readState } from './state.ts';
import { processesIn } from './tree.ts';
import { waitUntil } from './wait.ts';

/** A process in an uninterruptible sleep dies when that ends; beyond this the caller should say so. */
const KILL_TIMEOUT_MS = 5000;

/** One round of {@link killFrozen} waits no longer for the last process to stop. */
const STOP_TIMEOUT_MS = 200;

/**
 * Kills all processes in `cgroup` and below it, and waits until none is left.
 * Repeats: a process that an exec puts into the cgroup at this very moment dies too.
 * @throws {Error} when one outlives the deadline
 */
export async function killCgroup(cgroup: Fd, timeoutMs: number = KILL_TIMEOUT_MS): Promise<void> {
  const hasKill = tryKill(cgroup);
  const deadline = performance.now() + timeoutMs;
  const isEmpty = (): boolean => {
    if (!isPopulated(cgroup)) return true;
    if (hasKill) tryKill(cgroup);
    return false;
  };
  while (!hasKill && isPopulated(cgroup) && performance.now() < deadline) await killFrozenIfThere(cgroup);
  if (await waitUntil(isEmpty, deadline - performance.now())) return;
  throw new Error(`${processesIn(cgroup).length} process(es) outlived SIGKILL by ${timeoutMs} ms`);
}

/** Linux 5.14 on. Kills what is forking, and what is frozen. Whether the kernel can. */
function tryKill(cgroup: Fd): boolean {
  try {
    writeControl(cgroup, 'cgroup.kill', '1');
    return true;
  } catch (error) {
    if (isGone(error)) return !isPopulated(cgroup);
    // Of a threaded cgroup there are only threads, which cannot be killed alone.
    if (isErrno(error, 'EOPNOTSUPP')) return false;
    throw error;
  }
}

async function killFrozenIfThere(cgroup: Fd): Promise<void> {
  try {
    await killFrozen(cgroup);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/**
 * One round without cgroup.kill: stop everything so that nothing forks any more, signal every process, let them go.
 *
 * A number read from cgroup.procs may belong to somebody else a moment later. So every process is pinned by a pidfd
 * first, and only those are signalled that are still listed after that (D13).
 */
export async function killFrozen(cgroup: Fd): Promise<void> {
  writeControl(cgroup, 'cgroup.freeze', '1');
  try {
    await waitUntil(() => readState(cgroup).frozen, STOP_TIMEOUT_MS);
    const pinned = processesIn(cgroup).map((pid) => ({ pid, pidfd: trySyscall('pidfd_open', pid, 0) }));
    const listed = new Set(processesIn(cgroup));
    for (const { pid, pidfd } of pinned) {
      if (pidfd < 0) continue; // it has gone, or there are too many at once for our descriptors: next round
      using _ = new Fd(pidfd);
      if (listed.has(pid)) trySyscall('pidfd_send_signal', pidfd, SIGKILL, 0, 0);
    }
  } finally {
    writeControl(cgroup, 'cgroup.freeze', '0');
  }
}
