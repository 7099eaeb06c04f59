// Where the container's cgroup is, and what it may do there.
import type { Cgroup } from '../cgroups/cgroup.ts';
import { createCgroup } from '../cgroups/create.ts';
import { confineDevices } from '../cgroups/devices/confine.ts';
import { planContainerPolicy } from '../cgroups/devices/filter.ts';
import { findHierarchy, type Hierarchy, NoHierarchyError, readOwnCgroup } from '../cgroups/hierarchy.ts';
import { excuseRefusal, resolveCgroupPath } from '../cgroups/path.ts';
import type { Config } from '../spec/config.ts';

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
export function placeInCgroup(id: string, config: Config, isRootless: boolean): Cgroup | undefined {
  const cgroupsPath = config.linux?.cgroupsPath;
  let cgroup: Cgroup | undefined;
  try {
    const host = hostHierarchy();
    if (host === undefined) throw new NoHierarchyError();
    cgroup = createCgroup(host, resolveCgroupPath(cgroupsPath, id, readOwnCgroup));
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
