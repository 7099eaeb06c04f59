// Whether an image that was built without knowing the layers below is right above these.
import type { Attributes } from '../layer/entry.ts';
import type { LowerTree } from '../layer/lower-tree.ts';
import { IMPLIED } from './layer-tree.ts';
import type { ImpliedDirectory } from './seal.ts';
import type { ErofsLayer } from './sink.ts';

/**
 * Layers usually describe every directory on the way to their files, and hide only what is there; then an image fits
 * above anything, and is shared. One that does not may mean another place (`lib/x` where `lib` is a link below), a
 * directory with the owner that it has below, or a file of below by another name. And overlayfs looks for whiteouts
 * only in directories that it merges: anywhere else, names that are hidden are listed. If this says so, the layer is
 * to be built again with `lower`, for an image that is good for this chain of layers only.
 */
export function dependsOnBelow(
  { implied, linksBelow, hiding }: Pick<ErofsLayer, 'implied' | 'linksBelow' | 'hiding'>,
  lower: LowerTree,
): boolean {
  return (
    linksBelow.length > 0 ||
    inOrder(implied, ({ path }) => path).some((directory) => isOther(directory, lower)) ||
    inOrder(hiding, (path) => path).some((path) => lower.lookup(path)?.kind !== 'directory')
  );
}

/** Parents before what is in them, so that each lookup goes on where the last one was. */
function inOrder<Item>(items: readonly Item[], pathOf: (item: Item) => string): Item[] {
  return items.toSorted((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
}

function isOther(implied: ImpliedDirectory, lower: LowerTree): boolean {
  const below = lower.lookup(implied.path);
  if (below?.kind === 'symlink') return true;
  switch (implied.for) {
    case 'entry':
      return false;
    case 'content':
      return below?.kind === 'directory' && !isImplied(below);
    case 'whiteouts':
      return below?.kind !== 'directory' || !isImplied(below);
  }
}

/** Whether these are the attributes that a directory has because nobody described it. */
export function isImplied({ mode, uid, gid, mtime, xattrs }: Attributes): boolean {
  const isSameOwner = mode === IMPLIED.mode && uid === IMPLIED.uid && gid === IMPLIED.gid;
  const isSameTime =
    mtime.seconds === IMPLIED.mtime.seconds && mtime.nanoseconds === IMPLIED.mtime.nanoseconds;
  return isSameOwner && isSameTime && xattrs.length === 0;
}
