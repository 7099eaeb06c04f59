// Where a path of the container is looked up from: its root, or a file system that the plan has only just mounted there
// itself. In the latter is what the kernel and the plan have put there, so there is less to look for and to check.
import type { Slot } from '../sys/plan/program.ts';
import type { MountJob } from './mounts.ts';

/** `empty`: new directories can be made. `fixed`: the kernel's own files, none can be made. */
export type Contents = 'unknown' | 'empty' | 'fixed';

// biome-ignore format: a table
const CONTENTS: ReadonlyMap<string, Contents> = new Map<string, Contents>([
  ['tmpfs', 'empty'], ['sysfs', 'fixed'], ['devpts', 'fixed'], ['mqueue', 'fixed'], ['cgroup2', 'fixed'],
]);

export interface Base {
  readonly from: Slot;
  /** The path of `from`, `/dev`; empty for the root. */
  readonly at: string;
  /** Relative to `from`; empty when the path is `from` itself. */
  readonly path: string;
  readonly contents: Contents;
}

const isBelow = (path: string, directory: string): boolean => path.startsWith(`${directory}/`);

function contentsOf({ type, source, copyUp, fallback }: MountJob): Contents {
  if (source !== undefined || copyUp || fallback !== undefined) return 'unknown';
  return CONTENTS.get(type) ?? 'unknown';
}

/** @param mounted in order; `path` is clean and absolute */
export function baseOf(path: string, root: Slot, mounted: readonly MountJob[]): Base {
  let deepest: MountJob | undefined;
  for (const job of mounted) {
    const covers = path === job.destination || isBelow(path, job.destination);
    if (covers && job.destination.length >= (deepest?.destination.length ?? 0)) deepest = job;
  }
  const contents = deepest === undefined ? 'unknown' : contentsOf(deepest);
  if (deepest === undefined || contents === 'unknown') {
    return { from: root, at: '', path: path.slice(1), contents: 'unknown' };
  }
  const at = deepest.destination;
  return { from: deepest.tree, at, path: path.slice(at.length + 1), contents };
}

/** Whether something was mounted at `path` or below it. */
export const isMountPoint = (path: string, mounted: readonly MountJob[]): boolean =>
  mounted.some(({ destination }) => destination === path || isBelow(destination, path));
