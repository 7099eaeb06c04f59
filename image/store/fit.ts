// What a layer that was built by itself lacks above other layers.
import { dependsOnBelow, isImplied } from '../erofs/depends-on-below.ts';
import type { ImpliedDirectory } from '../erofs/seal.ts';
import type { ErofsLayer } from '../erofs/sink.ts';
import type { Attributes, LayerEntry } from '../layer/entry.ts';
import type { LowerNode, LowerTree } from '../layer/lower-tree.ts';
import type { LayerPath } from '../layer/path.ts';

/**
 * Most layers fit above anything. Others (umoci's, Bazel's) leave out the directories that they do not change, and
 * overlayfs would show those with attributes that nobody gave them: a few entries in a small layer above set that
 * right, and the large one stays shared. What is left is built anew: files that belong elsewhere, because a path
 * leads through a symbolic link of a layer below, and names of files that are below.
 */
export type Fit =
  | { readonly kind: 'as-is' }
  | { readonly kind: 'with'; readonly entries: readonly LayerEntry[] }
  | { readonly kind: 'anew' };

type Needs = Pick<ErofsLayer, 'implied' | 'linksBelow' | 'hiding'>;

/**
 * @param lower What is below the layer.
 * @param merged The same with the layer above it.
 */
export function fitAbove(layer: Needs, lower: () => LowerTree, merged: () => LowerTree): Fit {
  const asksForNothing = layer.implied.length + layer.linksBelow.length + layer.hiding.length === 0;
  if (asksForNothing || !dependsOnBelow(layer, lower())) return { kind: 'as-is' };
  const corrections = correctionsFor(layer, lower());
  if (corrections === undefined) return { kind: 'anew' };
  describeParents(corrections, merged());
  return { kind: 'with', entries: [...corrections.values()] };
}

/** By path; undefined where entries above the layer cannot help. */
function correctionsFor(
  { implied, linksBelow, hiding }: Needs,
  lower: LowerTree,
): Map<string, LayerEntry> | undefined {
  if (linksBelow.length > 0) return undefined;
  const corrections = new Map<string, LayerEntry>();
  for (const directory of implied) {
    const correction = correct(directory, lower.lookup(directory.path));
    if (correction === 'anew') return undefined;
    if (correction !== undefined) corrections.set(directory.path, correction);
  }
  const isHidden = (path: string): boolean => corrections.get(path)?.kind === 'whiteout';
  const isRight = (path: string): boolean => lower.lookup(path)?.kind === 'directory' || isHidden(path);
  return hiding.every(isRight) ? corrections : undefined;
}

function correct(implied: ImpliedDirectory, below: LowerNode | undefined): LayerEntry | 'anew' | undefined {
  const { path } = implied;
  if (below?.kind === 'symlink') return 'anew';
  if (implied.for === 'entry') return undefined;
  if (below?.kind === 'directory') return isImplied(below) ? undefined : describe(path, below);
  if (implied.for === 'content') return undefined;
  // Whiteouts in a directory that is not there make none.
  return below === undefined ? { kind: 'whiteout', path: split(path) } : 'anew';
}

/** The directories on the way to a correction need their attributes said again, or the correction implies them. */
function describeParents(corrections: Map<string, LayerEntry>, merged: LowerTree): void {
  for (const { path } of [...corrections.values()]) {
    for (let { parent } = path; parent !== ''; parent = split(parent).parent) {
      const node = corrections.has(parent) ? undefined : merged.lookup(parent);
      if (node !== undefined) corrections.set(parent, describe(parent, node));
    }
  }
}

function describe(path: string, { mode, uid, gid, mtime, xattrs }: Attributes): LayerEntry {
  return { kind: 'directory', path: split(path), attributes: { mode, uid, gid, mtime, xattrs } };
}

function split(path: string): LayerPath {
  const slash = path.lastIndexOf('/');
  return { parent: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}
