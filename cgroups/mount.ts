// What a mount of type `cgroup` shows inside a container.
import path from 'node:path';
import type { ErrnoName } from '../sys/errno.ts';
import type { CgroupMountPoint } from './hierarchy.ts';

/** An existing directory of the host's, shown again. */
export interface BindOfCgroup {
  readonly kind: 'bind';
  /** To be opened before the container's root is entered. */
  readonly source: string;
}

/** A mount of its own: fsopen(type), each option by fsconfig. */
export interface NewCgroupMount {
  readonly kind: 'new';
  readonly type: 'cgroup2' | 'tmpfs';
  /** Beside those of the mount's own entry. */
  readonly options: readonly string[];
  /** What to do instead when the kernel refuses. */
  readonly fallback?: { readonly on: readonly ErrnoName[]; readonly mount: BindOfCgroup };
}

export interface CgroupMountContext {
  readonly hierarchy: CgroupMountPoint | undefined;
  /** The container's cgroup below the mount point; undefined where rootless goes without. */
  readonly cgroupPath: string | undefined;
  /** Whether the container gets a new cgroup namespace. */
  readonly hasCgroupNamespace: boolean;
}

/**
 * With a cgroup namespace: a new cgroup2 mount, whose root is the container's cgroup. In a user namespace that does not
 * own the cgroup namespace the kernel refuses it (EPERM), and where it is mounted already, EBUSY: then a bind of the
 * container's cgroup looks the same.
 *
 * Without: a bind of the host's mount, which fits what /proc/self/cgroup says in there. Not a new mount: from the host's
 * cgroup namespace that would reset the options of the host's own, `nsdelegate` and others (runc issue 5258).
 *
 * Without any hierarchy: an empty directory that stays empty. As runc masks it, rootless.
 *
 * Hybrid hosts are treated alike, v1 hierarchies are not shown. Read-only or not is the entry's matter, on any of them.
 */
export function planCgroupMount(context: CgroupMountContext): NewCgroupMount | BindOfCgroup {
  const { hierarchy, cgroupPath, hasCgroupNamespace } = context;
  if (hierarchy === undefined) {
    return { kind: 'new', type: 'tmpfs', options: ['ro', 'nosuid', 'noexec', 'nodev'] };
  }
  if (!hasCgroupNamespace) return { kind: 'bind', source: hierarchy.mountPoint };
  const source = path.join(hierarchy.mountPoint, cgroupPath ?? '/');
  const fallback = { on: ['EPERM', 'EBUSY'], mount: { kind: 'bind', source } } as const;
  return { kind: 'new', type: 'cgroup2', options: [], fallback };
}
