// Whether an image that was built without knowing the layers below is right above these.
import type { Attributes } from '../layer/entry.ts';
import type { LowerTree } from '../layer/lower-tree.ts';
import { IMPLIED } from './layer-tree.ts';
import type { ImpliedDirectory } from './seal.ts';
import type { ErofsLayer } from './sink.ts';

/**
 * Layers usually describe every directory on the way to their files; then an image fits above anything, and is
 * shared. One that does not may mean another place (`lib/x` where `lib` is a link below), a directory with the owner
 * it has below, or a file of below by another name. If this says so, it is to be built again with `lower`, and the
 * image is good for this chain of layers only.
 */
export function dependsOnBelow(layer: Pick<ErofsLayer, 'implied' | 'linksBelow'>, lower: LowerTree): boolean {
  return layer.linksBelow.length > 0 || layer.implied.some((directory) => isOther(directory, lower));
}

function isOther({ path, origin }: ImpliedDirectory, lower: LowerTree): boolean {
  const below = lower.lookup(path);
  if (below?.kind === 'symlink') return true;
  switch (origin) {
    case 'entry':
      return false;
    case 'content':
      return below?.kind === 'directory' && !isImplied(below);
    case 'whiteout':
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
