// The tree that a layer becomes: directories, and inodes by number.
import type { Attributes } from '../layer/entry.ts';
import { LayerError, quoteBytes } from '../layer/error.ts';
import type { LayerLimits } from '../layer/limits.ts';
import type { LowerNode, LowerTree } from '../layer/lower-tree.ts';
import { Directory, type TreeNode } from './directory.ts';
import { S_IFDIR } from './format.ts';
import { InodeTable } from './inode-table.ts';
import { XattrStore } from './xattr-store.ts';

/** Links followed on the way to one entry, as the kernel's MAXSYMLINKS. */
const SYMLINKS_MAX = 40;

/** Parents that nobody described: what containerd gives them, at a time that is the same in every build. */
export const IMPLIED: Attributes = {
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  xattrs: [],
};

/** What a path is looked up for; only for content are directories made where nothing is. */
export type Purpose = 'content' | 'whiteout' | 'link';

/**
 * Symbolic links in the way are followed inside the root, as an unpacker would. But nothing is ever looked up on the
 * host: there is only this tree and, if it is given, that of the layers below.
 */
export class LayerTree {
  readonly inodes = new InodeTable();
  readonly xattrs = new XattrStore();
  readonly root: Directory;
  /** Targets of symbolic links, by inode. */
  readonly targets = new Map<number, string>();
  /** Targets of hard links to what this layer does not have, by a stand-in for the inode. */
  readonly linksBelow = new Map<number, string>();
  /** Contents that come from the layers below, by inode. */
  readonly copies = new Map<number, LowerNode>();
  /**
   * Paths that are symbolic links below if what was put here belongs elsewhere: directories that were implied and are
   * gone, and targets of hard links that were gone through.
   */
  readonly replaced: string[] = [];
  /** What lies below, if it is known. */
  readonly lower: LowerTree | undefined;

  readonly #limits: LayerLimits;
  #directories = 0;
  #lookups = 0;
  #pathBytes = 0;
  /** The parent of the last entry: most entries have the one of the entry before. */
  #lastPath: string | undefined;
  #lastDirectory: Directory;

  constructor(lower: LowerTree | undefined, limits: LayerLimits) {
    this.lower = lower;
    this.#limits = limits;
    this.root = this.newDirectory(undefined, '', lower?.lookup(''));
    this.#lastDirectory = this.root;
  }

  newInode(type: number, attributes: Attributes, size = 0): number {
    const inode = this.inodes.add(type, attributes);
    this.inodes.setSize(inode, size);
    this.xattrs.set(inode, attributes.xattrs);
    return inode;
  }

  /** A directory with these attributes; without them it has those of `below`, or what is implied. */
  newDirectory(
    parent: Directory | undefined,
    name: string,
    below: LowerNode | undefined,
    attributes?: Attributes,
  ): Directory {
    if (parent !== undefined && parent.depth >= this.#limits.depth) {
      throw new LayerError('LIMIT', `cannot take a layer with directories deeper than ${this.#limits.depth}`);
    }
    if (++this.#directories > this.#limits.directories) {
      throw new LayerError(
        'LIMIT',
        `cannot take a layer with more than ${this.#limits.directories} directories`,
      );
    }
    const isBelow = below?.kind === 'directory';
    const inode = this.newInode(S_IFDIR, attributes ?? (isBelow ? below : IMPLIED));
    const origin = attributes !== undefined ? 'entry' : isBelow ? 'below' : 'guess';
    return new Directory(parent, name, inode, origin, below);
  }

  /** Puts `node` where something else may be. */
  place(parent: Directory, name: string, node: TreeNode): void {
    const existing = parent.children.get(name);
    // What was not a directory had hidden one of the layers below, which does not come back with a new one.
    if (typeof existing === 'number' && node instanceof Directory) node.isOpaque = true;
    if (existing instanceof Directory) this.#noteReplaced(existing);
    const linked = typeof existing === 'number' ? this.linksBelow.get(existing) : undefined;
    if (linked !== undefined && node instanceof Directory) this.replaced.push(this.reported(linked));
    parent.children.set(name, node);
    if (existing !== undefined || typeof node !== 'number' || this.targets.has(node)) this.forgetPaths();
  }

  #noteReplaced(gone: Directory): void {
    const directories = [gone];
    for (const directory of directories) {
      const { wasGuess, parent, name } = directory;
      if (wasGuess && parent?.showsBelow(name)) this.replaced.push(this.reported(directory.path));
      for (const child of directory.children.values())
        if (child instanceof Directory) directories.push(child);
    }
  }

  /** `path`, which is going to be kept as text: deep directories have long paths, and there may be many. */
  reported(path: string): string {
    this.#pathBytes += path.length;
    if (this.#pathBytes > this.#limits.metadataBytes) {
      throw new LayerError(
        'LIMIT',
        `cannot note more than ${this.#limits.metadataBytes} bytes of paths for a layer`,
      );
    }
    return path;
  }

  /** Something has changed that can lead paths elsewhere. */
  forgetPaths(): void {
    this.#lastPath = undefined;
  }

  /** The directory for an entry to be placed in. */
  parent(path: string): Directory {
    if (this.#lastPath === path) return this.#lastDirectory;
    const directory = this.resolve(path, 'content');
    if (directory === undefined) throw new TypeError('directories are made for content');
    this.#lastPath = path;
    this.#lastDirectory = directory;
    return directory;
  }

  /** The directory that `path` leads to; `..` and absolute links stay in the root. */
  resolve(path: string, purpose: Purpose): Directory | undefined {
    let directory: Directory | undefined = this.root;
    let followed = 0;
    const pending = path.split('/').reverse();
    while (directory !== undefined) {
      const component = pending.pop();
      if (component === undefined) return directory;
      if (++this.#lookups > this.#limits.lookups) {
        throw new LayerError('LIMIT', `cannot look up more than ${this.#limits.lookups} names for a layer`);
      }
      if (component === '' || component === '.') continue;
      if (component === '..') {
        directory = directory.parent ?? directory;
        continue;
      }
      const target = this.#symlinkAt(directory, component);
      if (target === undefined) {
        directory = this.#descend(directory, component, purpose);
        continue;
      }
      if (++followed > SYMLINKS_MAX) {
        throw new LayerError(
          'REFUSED',
          `cannot resolve ${quoteBytes(path)}: too many levels of symbolic links`,
        );
      }
      if (target.startsWith('/')) directory = this.root;
      pending.push(...target.split('/').reverse());
    }
    return undefined;
  }

  /** Whether it is only implied that this is a directory: below it may be a symbolic link to one. */
  isGuess({ origin, parent, name }: Directory): boolean {
    return this.lower === undefined && origin === 'guess' && parent?.showsBelow(name) === true;
  }

  /** What the layers below show in a directory of this one. */
  below(directory: Directory, name: string): LowerNode | undefined {
    return directory.showsBelow(name) ? directory.below?.child(name) : undefined;
  }

  #symlinkAt(directory: Directory, name: string): string | undefined {
    const child = directory.children.get(name);
    if (typeof child === 'number') return this.targets.get(child);
    if (child !== undefined) return undefined;
    const below = this.below(directory, name);
    return below?.kind === 'symlink' ? below.target : undefined;
  }

  /** One directory further, which is made if the purpose allows it. */
  #descend(directory: Directory, name: string, purpose: Purpose): Directory | undefined {
    const child = directory.children.get(name);
    const further = child instanceof Directory ? child : this.#imply(directory, name, purpose);
    if (further !== undefined && purpose === 'content') further.hasContent = true;
    return further;
  }

  #imply(parent: Directory, name: string, purpose: Purpose): Directory | undefined {
    const isInTheWay = parent.children.has(name);
    const below = isInTheWay ? undefined : this.below(parent, name);
    const isBelow = below?.kind === 'directory';
    // Nothing can be hidden where nothing is; but what is below may not be known.
    const isUnknown = this.lower === undefined && !isInTheWay;
    if (!isBelow && purpose !== 'content' && !(purpose === 'whiteout' && isUnknown)) return undefined;
    const directory = this.newDirectory(parent, name, below);
    this.place(parent, name, directory);
    return directory;
  }
}
