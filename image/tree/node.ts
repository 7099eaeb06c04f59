// What layers add up to, in memory: the root file system that a container would see.
import type { Attributes, StoredContent } from '../layer/entry.ts';

/** A directory that only entries inside it imply: made as `mkdir -p` does, at a time that is always the same. */
export const IMPLICIT_ATTRIBUTES: Attributes = {
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  xattrs: [],
};

export interface Directory {
  readonly kind: 'directory';
  attributes: Attributes;
  /** The root is its own parent, as `/..` is `/`. */
  readonly parent: Directory;
  /** In its parent, a byte string; `''` is the root. */
  readonly name: string;
  /** Of the root 0. */
  readonly depth: number;
  /** By name, a byte string. */
  readonly children: Map<string, Name>;
  /** The last layer that has an entry in here, at whatever depth. */
  touchedBy: number;
  /** The last layer that hid what older ones have in here. */
  hiddenBy: number;
}

/** A file's content is in the archive of one layer. */
export interface File {
  readonly kind: 'file';
  readonly attributes: Attributes;
  readonly content: StoredContent;
  readonly layer: number;
}

export interface Symlink {
  readonly kind: 'symlink';
  readonly attributes: Attributes;
  readonly target: string;
}

export interface Fifo {
  readonly kind: 'fifo';
  readonly attributes: Attributes;
}

export interface Device {
  readonly kind: 'character' | 'block';
  readonly attributes: Attributes;
  readonly major: number;
  readonly minor: number;
}

export type Leaf = File | Symlink | Fifo | Device;
export type Node = Directory | Leaf;

/** One name in a directory; hard links are names of one node. */
export interface Name {
  readonly node: Node;
  /** The last layer that said something about this name: a whiteout hides only what older ones said. */
  layer: number;
}

/** Before any layer. */
export const NO_LAYER = -1;

export function newDirectory(parent: Directory | undefined, name: string): Directory {
  const directory = {
    kind: 'directory' as const,
    attributes: IMPLICIT_ATTRIBUTES,
    name,
    depth: parent === undefined ? 0 : parent.depth + 1,
    children: new Map<string, Name>(),
    touchedBy: NO_LAYER,
    hiddenBy: NO_LAYER,
  };
  return parent === undefined
    ? Object.assign(directory, { parent: directory as Directory })
    : { ...directory, parent };
}
