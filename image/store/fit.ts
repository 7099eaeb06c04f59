// What a layer that was built by itself lacks above other layers.
import { IMPLIED } from '../erofs/layer-tree.ts';
import type { ImpliedDirectory } from '../erofs/seal.ts';
import type { ErofsLayer } from '../erofs/sink.ts';
import type { Attributes, LayerEntry } from '../layer/entry.ts';
import type { LowerNode, LowerTree } from '../layer/lower-tree.ts';
import type { LayerPath } from '../layer/path.ts';

/**
 * Most layers describe every directory on the way to their files and fit above anything. Others (umoci's, Bazel's)
 * leave out the directories that they do not change, and overlayfs would show those with attributes that nobody
 * gave them: a few entries in a small layer above set that right. A layer whose paths lead through symbolic links of
 * the layers below, or that links files of theirs, has its files in other places here: it is built anew.
 */
export type Fit =
  | { readonly kind: 'as-is' }
  | { readonly kind: 'with'; readonly entries: readonly LayerEntry[] }
  | { readonly kind: 'anew' };

/**
 * @param lower What is below the layer.
 * @param merged The same with the layer above it.
 */
export function fitAbove(
  layer: Pick<ErofsLayer, 'implied' | 'linksBelow'>,
  lower: () => LowerTree,
  merged: () => LowerTree,
): Fit {
  if (layer.linksBelow.length > 0) return { kind: 'anew' };
  if (layer.implied.length === 0) return { kind: 'as-is' };
  const below = lower();
  const entries = new Map<string, LayerEntry>();
  for (const directory of layer.implied) {
    const correction = correct(directory, below.lookup(directory.path));
    if (correction === 'anew') return { kind: 'anew' };
    if (correction !== undefined) entries.set(directory.path, correction);
  }
  if (entries.size === 0) return { kind: 'as-is' };
  describeParents(entries, merged());
  return { kind: 'with', entries: [...entries.values()] };
}

/** The directories on the way to a correction need their attributes said again, or the correction implies them. */
function describeParents(entries: Map<string, LayerEntry>, merged: LowerTree): void {
  for (const { path } of [...entries.values()]) {
    for (let { parent } = path; parent !== ''; parent = split(parent).parent) {
      const node = entries.has(parent) ? undefined : merged.lookup(parent);
      if (node !== undefined) entries.set(parent, describe(parent, node));
    }
  }
}

function describe(path: string, { mode, uid, gid, mtime, xattrs }: Attributes): LayerEntry {
  return { kind: 'directory', path: split(path), attributes: { mode, uid, gid, mtime, xattrs } };
}

function correct(
  { path, origin }: ImpliedDirectory,
  below: LowerNode | undefined,
): LayerEntry | 'anew' | undefined {
  if (below?.kind === 'symlink') return 'anew';
  if (origin === 'entry') return undefined;
  if (below?.kind === 'directory') {
    return isImplied(below) ? undefined : describe(path, below);
  }
  if (origin === 'content') return undefined;
  // Whiteouts in a directory that is not there make none.
  return below === undefined ? { kind: 'whiteout', path: split(path) } : 'anew';
}

function isImplied({ mode, uid, gid, mtime, xattrs }: Attributes): boolean {
  const isSameOwner = mode === IMPLIED.mode && uid === IMPLIED.uid && gid === IMPLIED.gid;
  const isSameTime =
    mtime.seconds === IMPLIED.mtime.seconds && mtime.nanoseconds === IMPLIED.mtime.nanoseconds;
  return isSameOwner && isSameTime && xattrs.length === 0;
}

function split(path: string): LayerPath {
  const slash = path.lastIndexOf('/');
  return { parent: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}
