// Where the container's cgroup is, and what it may do there.
import { Cgroup } from '../cgroups/cgroup.ts';
import { createCgroup } from '../cgroups/create.ts';
import { confineDevices } from '../cgroups/devices/confine.ts';
import { planContainerPolicy } from '../cgroups/devices/filter.ts';
import { findHierarchy, type Hierarchy, NoHierarchyError, readOwnCgroup } from '../cgroups/hierarchy.ts';
import { planCgroupMount } from '../cgroups/mount.ts';
import { excuseRefusal, resolveCgroupPath } from '../cgroups/path.ts';
import { chooseNamespaces } from '../namespaces/kinds.ts';
import type { CgroupMount } from '../namespaces/mounts.ts';
import type { Config } from '../spec/config.ts';
import { O_PATH } from '../sys/abi/constants.ts';
import { O_DIRECTORY } from '../sys/abi/fcntl.ts';
import type { StateDirectory } from './state-store.ts';

let hierarchy: Hierarchy | undefined;

/** The host's hierarchy, looked up once; it stays open as long as the process lives. */
export function hostHierarchy(): Hierarchy | undefined {
  hierarchy ??= findHierarchy();
  return hierarchy;
}

/**
 * Makes the container's cgroup and confines it to the devices that the config allows, before any process is in it.
 * @returns undefined where a rootless container has to go without
 */
export function placeInCgroup(
  id: string,
  config: Config,
  isRootless: boolean,
  directory: StateDirectory,
): Cgroup | undefined {
  const cgroupsPath = config.linux?.cgroupsPath;
  let cgroup: Cgroup | undefined;
  try {
    const host = hostHierarchy();
    if (host === undefined) throw new NoHierarchyError();
    const path = resolveCgroupPath(cgroupsPath, id, readOwnCgroup);
    directory.noteCgroup(path); // before it is made: a creation that is killed right then can be cleaned up
    cgroup = createCgroup(host, path);
  } catch (error) {
    excuseRefusal(error, { isRootless, cgroupsPath, needsControllers: false });
    return undefined;
  }
  try {
    const rules = config.linux?.resources?.devices ?? [];
    confineDevices(
      cgroup.fd,
      planContainerPolicy(rules, new Set((config.linux?.devices ?? []).map(({ path }) => path))),
      isRootless,
    );
    return cgroup;
  } catch (error) {
    void cgroup.remove().finally(() => cgroup[Symbol.dispose]());
    throw error;
  }
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

/** What a mount of type cgroup is to show in this container. */
export function cgroupMount(config: Config, cgroup: Cgroup | undefined): CgroupMount {
  const { fresh } = chooseNamespaces(config.linux?.namespaces);
  const planned = planCgroupMount({
    hierarchy: hostHierarchy(),
    cgroupPath: cgroup?.path,
    hasCgroupNamespace: fresh.has('cgroup'),
  });
  if (planned.kind === 'bind') return planned;
  return { kind: 'new', type: planned.type, fallback: planned.fallback?.mount.source };
}
