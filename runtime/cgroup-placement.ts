// Where the container's cgroup is, and what it may do there.
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import type { Cgroup } from '../cgroups/cgroup.ts';
import { createCgroup } from '../cgroups/create.ts';
import { planContainerPolicy } from '../cgroups/devices/filter.ts';
import type { DevicePolicy } from '../cgroups/devices/policy.ts';
import { type Hierarchy, NoHierarchyError, readOwnCgroup } from '../cgroups/hierarchy.ts';
import { planCgroupMount } from '../cgroups/mount.ts';
import { excuseRefusal, resolveCgroupPath } from '../cgroups/path.ts';
import { chooseNamespaces } from '../namespaces/kinds.ts';
import type { CgroupMount } from '../namespaces/mounts.ts';
import type { Config } from '../spec/config.ts';
import { hostHierarchy } from './host-cgroups.ts';

export interface CgroupPlace {
  readonly hierarchy: Hierarchy;
  /** Absolute, below the mount point. */
  readonly path: string;
}

/** Where the container's cgroup will be; undefined where a rootless container has to go without. */
export function chooseCgroup(id: string, config: Config, isRootless: boolean): CgroupPlace | undefined {
  const cgroupsPath = config.linux?.cgroupsPath;
  try {
    const host = hostHierarchy();
    if (host === undefined) throw new NoHierarchyError();
    const place = { hierarchy: host, path: resolveCgroupPath(cgroupsPath, id, readOwnCgroup) };
    if (isRootless) requireParent(place);
    return place;
  } catch (error) {
    excuseRefusal(error, { isRootless, cgroupsPath, needsControllers: false });
    return undefined;
  }
}

/** Asks what the kernel will say, so that no attempt has to be made. @throws {Error} EACCES, EPERM or EROFS */
function requireParent({ hierarchy, path: cgroupPath }: CgroupPlace): void {
  let parent = path.join(hierarchy.mountPoint, cgroupPath);
  do parent = path.dirname(parent);
  while (parent !== hierarchy.mountPoint && !existsSync(parent));
  accessSync(parent, constants.W_OK);
}

/** @returns undefined where a rootless container has to go without */
export function makeCgroup(place: CgroupPlace, config: Config, isRootless: boolean): Cgroup | undefined {
  try {
    return createCgroup(place.hierarchy, place.path);
  } catch (error) {
    const cgroupsPath = config.linux?.cgroupsPath;
    excuseRefusal(error, { isRootless, cgroupsPath, needsControllers: false });
    return undefined;
  }
}

/** What the config allows, with the devices that every container has. */
export function devicePolicy({ linux }: Config): DevicePolicy {
  const nodes = new Set((linux?.devices ?? []).map(({ path }) => path));
  return planContainerPolicy(linux?.resources?.devices ?? [], nodes);
}

/** What a mount of type cgroup is to show in this container. */
export function cgroupMount(config: Config, cgroupPath: string | undefined): CgroupMount {
  const { fresh } = chooseNamespaces(config.linux?.namespaces);
  const planned = planCgroupMount({
    hierarchy: hostHierarchy(),
    cgroupPath,
    hasCgroupNamespace: fresh.has('cgroup'),
  });
  if (planned.kind === 'bind') return planned;
  return { kind: 'new', type: planned.type, fallback: planned.fallback?.mount.source };
}
