// The cgroup of one container.
import { fstatSync } from 'node:fs';
import { O_PATH } from '../sys/abi/constants.ts';
import { O_DIRECTORY } from '../sys/abi/fcntl.ts';
import { isErrno } from '../sys/errno.ts';
import type { Fd } from '../sys/fd.ts';
import { readControl, writeControl } from './control-file.ts';
import { freezeCgroup, thawCgroup } from './freeze.ts';
import type { Hierarchy } from './hierarchy.ts';
import { killCgroup } from './kill.ts';
import { belowRoot, REMOVE_TIMEOUT_MS, removeCgroupTree, removeEmpty } from './remove.ts';
import { type CgroupState, readState } from './state.ts';
import { processesIn } from './tree.ts';
import { waitUntil } from './wait.ts';

/** What the container's state keeps, so that another process finds the same cgroup again. */
export interface SavedCgroup {
  /** Absolute, below the mount point. */
  readonly path: string;
  /** Of the directory. The kernel does not use a cgroup's twice, so it tells a later cgroup of the same path apart. */
  readonly inode: number;
  /** The directories that were made for the container, outermost first; only these are removed. */
  readonly made: readonly string[];
}

/** A process that has only just been forked is refused with EINVAL. runc tries five times, at 30 ms. */
const JOIN_TIMEOUT_MS = 150;

export class Cgroup implements Disposable {
  readonly path: string;
  /** O_PATH of the directory: for CLONE_INTO_CGROUP and for device filters. */
  readonly fd: Fd;
  readonly made: readonly string[];
  readonly #hierarchy: Hierarchy;

  /** `hierarchy` is lent and must outlive this object; `fd` becomes its own. */
  constructor(hierarchy: Hierarchy, cgroupPath: string, fd: Fd, made: readonly string[]) {
    this.#hierarchy = hierarchy;
    this.path = cgroupPath;
    this.fd = fd;
    this.made = made;
  }

  save(): SavedCgroup {
    return { path: this.path, inode: fstatSync(this.fd.number).ino, made: this.made };
  }

  /** Moves a process in, for where CLONE_INTO_CGROUP was not possible. @throws {Error} */
  async join(pid: number): Promise<void> {
    const tryJoin = (): boolean => {
      try {
        writeControl(this.fd, 'cgroup.procs', String(pid));
        return true;
      } catch (error) {
        if (isErrno(error, 'EINVAL')) return false;
        throw this.#explain(error, pid);
      }
    };
    if (await waitUntil(tryJoin, JOIN_TIMEOUT_MS)) return;
    throw new Error(`cannot move process ${pid} to cgroup "${this.path}": invalid argument`);
  }

  #explain(error: unknown, pid: number): Error {
    const isThreaded = isErrno(error, 'EOPNOTSUPP');
    const reason = isThreaded ? `it is in "${this.type()}" mode` : (error as Error).message;
    return new Error(`cannot move process ${pid} to cgroup "${this.path}": ${reason}`, { cause: error });
  }

  /** `domain`, or what a threaded parent makes of it: `domain invalid` takes no processes. */
  type(): string {
    return readControl(this.fd, 'cgroup.type').trimEnd();
  }

  state(): CgroupState {
    return readState(this.fd);
  }

  /** In this cgroup and all below it. */
  processes(): number[] {
    return processesIn(this.fd);
  }

  /** @throws {Error} when it takes longer; then it runs on */
  freeze(timeoutMs?: number): Promise<void> {
    return freezeCgroup(this.fd, timeoutMs);
  }

  thaw(timeoutMs?: number): Promise<void> {
    return thawCgroup(this.fd, timeoutMs);
  }

  /** Kills every process, frozen or not, and waits for the last. @throws {Error} when one does not die in time */
  async kill(timeoutMs?: number): Promise<void> {
    try {
      await killCgroup(this.fd, timeoutMs);
    } catch (error) {
      throw new Error(`cannot kill cgroup "${this.path}": ${(error as Error).message}`, { cause: error });
    }
  }

  /**
   * Removes what was made for the container: its cgroup with all that the container made below it, then its parents
   * for as long as they are empty. Does nothing to a cgroup that was there before. @throws {Error} while it is in use
   */
  async remove(timeoutMs: number = REMOVE_TIMEOUT_MS): Promise<void> {
    if (this.made.at(-1) !== this.path) return;
    const { root } = this.#hierarchy;
    await removeCgroupTree(root, this.path, this.fd, timeoutMs);
    removeEmpty(root, this.made.slice(0, -1));
  }

  [Symbol.dispose](): void {
    this.fd[Symbol.dispose]();
  }
}

/** The cgroup that was saved, or undefined when it has been removed, even if another took its path since. */
export function openCgroup(hierarchy: Hierarchy, saved: SavedCgroup): Cgroup | undefined {
  const fd = hierarchy.root.tryOpenAt(belowRoot(saved.path), O_PATH | O_DIRECTORY);
  if (fd === undefined) return undefined;
  if (fstatSync(fd.number).ino === saved.inode) return new Cgroup(hierarchy, saved.path, fd, saved.made);
  fd[Symbol.dispose]();
  return undefined;
}

/** Removes what is left of a saved cgroup; nothing left is fine. @throws {Error} while it is in use */
export async function removeCgroup(
  hierarchy: Hierarchy,
  saved: SavedCgroup,
  timeoutMs?: number,
): Promise<void> {
  using cgroup = openCgroup(hierarchy, saved);
  if (cgroup === undefined) removeEmpty(hierarchy.root, saved.made.slice(0, -1));
  else await cgroup.remove(timeoutMs);
}
