// From `linux.cgroupsPath` to a path below the mount point, and what rootless may go without.
import path from 'node:path';
import { isErrno } from '../sys/errno.ts';
import { NoHierarchyError } from './hierarchy.ts';

/** NAME_MAX; the kernel would say ENAMETOOLONG in the middle of making directories. */
const COMPONENT_BYTES_MAX = 255;
/** Kubernetes needs 6. Every level is a cgroup that the kernel keeps accounts for. */
const DEPTH_MAX = 64;

/**
 * The cgroup of container `id` as an absolute path below the mount point: `/kubepods/pod1/c1`.
 *
 * As runc on cgroup v2: an absolute cgroupsPath counts from the mount point; a relative one, or `id` where there is
 * none, from the *parent* of the runtime's own cgroup. (The own one has processes in it, so no controllers could be
 * enabled for its children.) Unlike runc, `..` is refused and not resolved: no honest caller needs it.
 *
 * @param readOwn called only when the path is relative
 * @throws {Error}
 */
export function resolveCgroupPath(
  cgroupsPath: string | undefined,
  id: string,
  readOwn: () => string,
): string {
  const wanted = cgroupsPath || id;
  const components = parseComponents(wanted);
  const base = wanted.startsWith('/') ? '/' : path.dirname(readOwn());
  return path.join(base, ...components);
}

function parseComponents(cgroupsPath: string): string[] {
  const refuse = (why: string): Error =>
    new Error(`invalid cgroupsPath ${JSON.stringify(cgroupsPath)}: ${why}`);
  if (cgroupsPath.includes('\0')) throw refuse('it contains a NUL');
  if (cgroupsPath.includes('\n')) throw refuse('it contains a newline'); // the kernel refuses it: EINVAL
  const components = cgroupsPath.split('/').filter((name) => name !== '' && name !== '.');
  if (components.includes('..')) throw refuse('".." could leave the hierarchy');
  if (components.length === 0) throw refuse('it names the root of the hierarchy');
  if (components.length > DEPTH_MAX) throw refuse(`more than ${DEPTH_MAX} levels`);
  if (components.some((name) => Buffer.byteLength(name) > COMPONENT_BYTES_MAX)) {
    throw refuse(`a name of more than ${COMPONENT_BYTES_MAX} bytes`);
  }
  return components;
}

export interface PlacementRequest {
  /** `--rootless`, or auto: the runtime is not root on this host. */
  readonly isRootless: boolean;
  readonly cgroupsPath: string | undefined;
  /** Whether `linux.resources` sets anything that needs a controller; device rules do not count. */
  readonly needsControllers: boolean;
}

/**
 * Returns where a container may run without a cgroup of its own after making one was refused; throws otherwise.
 * The text is runc's; callers look for it.
 */
export function excuseRefusal(refusal: unknown, request: PlacementRequest): void {
  const isNoPermission = refusal instanceof NoHierarchyError || isErrno(refusal, 'EACCES', 'EPERM', 'EROFS');
  if (!request.isRootless || request.cgroupsPath || !isNoPermission) throw refusal;
  if (!request.needsControllers) return;
  const reason = 'rootless needs no limits + no cgrouppath when no permission is granted for cgroups';
  throw new Error(`${reason}: ${(refusal as Error).message}`, { cause: refusal });
}
