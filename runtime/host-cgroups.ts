// The host's cgroups, as far as every command needs them.
import { Cgroup } from '../cgroups/cgroup.ts';
import { findHierarchy, type Hierarchy } from '../cgroups/hierarchy.ts';
import { O_PATH } from '../sys/abi/constants.ts';
import { O_DIRECTORY } from '../sys/abi/fcntl.ts';

let hierarchy: Hierarchy | undefined;

/** The host's hierarchy, looked up once; it stays open as long as the process lives. */
export function hostHierarchy(): Hierarchy | undefined {
  hierarchy ??= findHierarchy();
  return hierarchy;
}

/**
 * Removes the cgroup of a creation that left no state behind, or one that cannot be read.
 * @param isOurs it was seen to be new or empty before anything was started in it, so what runs there now is the
 *   container's; else it is removed only if nothing is in it
 */
export async function removeNotedCgroup(path: string, isOurs: boolean): Promise<void> {
  const host = hostHierarchy();
  const fd = host?.root.tryOpenAt(path.slice(1), O_PATH | O_DIRECTORY);
  if (host === undefined || fd === undefined) return;
  using cgroup = new Cgroup(host, path, fd, [path]);
  if (isOurs) await cgroup.kill();
  if (cgroup.processes().length === 0) await cgroup.remove();
}
