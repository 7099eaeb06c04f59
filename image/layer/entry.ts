// An entry of a layer: of an archive's entry, what a container may see of it.
import type { TarEntry } from '../tar/entry.ts';
import type { Timestamp } from '../tar/pax.ts';
import type { SparseMap } from '../tar/sparse.ts';
import type { Xattr } from '../tar/xattr.ts';
import { LayerError, quoteBytes } from './error.ts';
import type { LayerLimits } from './limits.ts';
import { cleanPath, joinPath, type LayerPath } from './path.ts';
import { parseWhiteout } from './whiteout.ts';
import { applyXattrPolicy } from './xattr-policy.ts';

/** What a directory, file, link or node has besides its kind. */
export interface Attributes {
  /** Permission bits, 07777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  readonly xattrs: readonly Xattr[];
}

/** The content of a file, and where the archive has it. */
export interface StoredContent {
  /** Holes included. */
  readonly size: number;
  /** Offset in the uncompressed archive, a multiple of 512. */
  readonly storedOffset: number;
  readonly storedBytes: number;
  /** Set if only parts are stored. */
  readonly sparse: SparseMap | undefined;
}

/**
 * Paths are clean ({@link LayerPath}), but their parents may be symbolic links of this layer or of one below: whoever
 * acts on an entry resolves them inside the root.
 */
export type LayerEntry =
  | { readonly kind: 'directory'; readonly path: LayerPath; readonly attributes: Attributes }
  | {
      readonly kind: 'file';
      readonly path: LayerPath;
      readonly attributes: Attributes;
      readonly content: StoredContent;
    }
  /** `target` as it stands: it may be absolute, climb or dangle, as the container's kernel will see it. */
  | {
      readonly kind: 'symlink';
      readonly path: LayerPath;
      readonly attributes: Attributes;
      readonly target: string;
    }
  /** The header's attributes are not applied: they are the target's (umoci and GNU tar do the same). */
  | { readonly kind: 'hardlink'; readonly path: LayerPath; readonly target: LayerPath }
  | { readonly kind: 'fifo'; readonly path: LayerPath; readonly attributes: Attributes }
  | {
      readonly kind: 'character' | 'block';
      readonly path: LayerPath;
      readonly attributes: Attributes;
      readonly major: number;
      readonly minor: number;
    }
  /** `path` of the layers below is hidden; what this layer has there itself stays, wherever in the archive it is. */
  | { readonly kind: 'whiteout'; readonly path: LayerPath }
  /** All that the layers below have in directory `path.parent` is hidden. */
  | { readonly kind: 'opaque'; readonly path: LayerPath };

/** Linux: 12 bits of major number, 20 of minor. */
const DEV_MAJOR_MAX = 2 ** 12 - 1;
const DEV_MINOR_MAX = 2 ** 20 - 1;

/** PATH_MAX without the NUL. */
const SYMLINK_TARGET_BYTES_MAX = 4095;

/** `undefined` for an entry that means nothing (AUFS's own files). */
export function toLayerEntry(entry: TarEntry, limits: LayerLimits): LayerEntry | undefined {
  const path = cleanPath(entry.name, limits);
  const whiteout = parseWhiteout(path, entry.type);
  if (whiteout !== undefined) return whiteout.kind === 'ignored' ? undefined : whiteout;
  if (path.name === '' && entry.type !== 'directory') {
    // Later entries would be created through it (CVE-2021-29136).
    throw refused(entry, `the root is a directory and not a ${entry.type}`);
  }
  if (entry.type === 'hardlink') return { kind: 'hardlink', path, target: linkTarget(entry, path, limits) };
  const { mode, uid, gid, mtime } = entry;
  const attributes: Attributes = {
    mode,
    uid,
    gid,
    mtime,
    xattrs: applyXattrPolicy(entry.xattrs, entry.type),
  };
  switch (entry.type) {
    case 'file': {
      const { size, storedOffset, storedBytes, sparse } = entry;
      return { kind: 'file', path, attributes, content: { size, storedOffset, storedBytes, sparse } };
    }
    case 'symlink':
      return { kind: 'symlink', path, attributes, target: symlinkTarget(entry) };
    case 'character':
    case 'block':
      return { kind: entry.type, path, attributes, ...deviceNumber(entry) };
    case 'directory':
    case 'fifo':
      return { kind: entry.type, path, attributes };
  }
}

function linkTarget(entry: TarEntry, path: LayerPath, limits: LayerLimits): LayerPath {
  const target = cleanPath(entry.linkName, limits);
  if (target.name === '') throw refused(entry, 'a hard link to the root');
  if (joinPath(target.parent, target.name) === joinPath(path.parent, path.name)) {
    throw refused(entry, 'a hard link to itself');
  }
  return target;
}

function symlinkTarget(entry: TarEntry): string {
  const { length } = entry.linkName;
  if (length > 0 && length <= SYMLINK_TARGET_BYTES_MAX) return entry.linkName;
  throw refused(
    entry,
    `a symbolic link's target has 1 to ${SYMLINK_TARGET_BYTES_MAX} bytes and not ${length}`,
  );
}

function deviceNumber(entry: TarEntry): { major: number; minor: number } {
  const { devMajor: major, devMinor: minor } = entry;
  if (major < 0 || major > DEV_MAJOR_MAX || minor < 0 || minor > DEV_MINOR_MAX) {
    throw refused(entry, `there is no device ${major}:${minor}`);
  }
  if (entry.type === 'character' && major === 0 && minor === 0) {
    throw refused(
      entry,
      'device 0:0 is how overlayfs says that a file is gone, which a layer says with .wh.',
    );
  }
  return { major, minor };
}

const refused = ({ name }: TarEntry, why: string): LayerError =>
  new LayerError('REFUSED', `cannot take ${quoteBytes(name)}: ${why}`);
