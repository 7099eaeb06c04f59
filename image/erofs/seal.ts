// What a tree is once its last entry is there: whiteouts take effect, and every inode gets its turn.
import { joinPath } from '../layer/path.ts';
import { Directory } from './directory.ts';
import { S_IFCHR } from './format.ts';
import type { LayerTree } from './layer-tree.ts';

/** A directory of the image that entries needed before, or without, an entry of its own. */
export interface ImpliedDirectory {
  /** A byte string. */
  readonly path: string;
  /**
   * `content` and `whiteouts`: nothing describes it, and its attributes are a guess. The second has only whiteouts in
   * it. `entry`: the layer describes it, or something else of its name, after it was used.
   */
  readonly for: 'content' | 'whiteouts' | 'entry';
}

/** A hard link to a file that the layer does not have; the image has no such name. */
export interface LinkBelow {
  readonly path: string;
  readonly target: string;
}

export interface SealedDirectory {
  readonly directory: Directory;
  /** `.`, `..` and the children, sorted as bytes. */
  readonly names: readonly string[];
}

export interface SealedTree {
  /** Level by level, the root first. */
  readonly directories: readonly SealedDirectory[];
  /** Each inode of the image once, a directory before the others in it. */
  readonly inodes: readonly number[];
  readonly implied: readonly ImpliedDirectory[];
  readonly linksBelow: readonly LinkBelow[];
  /** Paths of the directories that have whiteouts in them. */
  readonly hiding: readonly string[];
}

const OPAQUE = { name: 'trusted.overlay.opaque', value: Buffer.from('y') };

export function sealTree(tree: LayerTree): SealedTree {
  return new Sealer(tree).seal();
}

/** A directory whose turn has not come. */
interface Pending {
  readonly directory: Directory;
  // Both could be asked of the directory, which would ask all its parents: too often, if there are many deep ones.
  readonly path: string;
  /** Whether what the layers below have at its path can be seen. */
  readonly isVisible: boolean;
}

class Sealer {
  readonly #tree: LayerTree;
  readonly #queue: Pending[];
  readonly #directories: SealedDirectory[] = [];
  readonly #inodes: number[] = [];
  readonly #implied: ImpliedDirectory[] = [];
  readonly #linksBelow: LinkBelow[] = [];
  readonly #hiding: string[] = [];
  /** One inode stands for all that is hidden. */
  #whiteout: number | undefined;

  constructor(tree: LayerTree) {
    this.#tree = tree;
    this.#queue = [{ directory: tree.root, path: '', isVisible: true }];
  }

  seal(): SealedTree {
    for (const pending of this.#queue) this.#sealDirectory(pending);
    if (this.#tree.lower === undefined) {
      for (const path of this.#tree.replaced) this.#implied.push({ path, for: 'entry' });
    }
    return {
      directories: this.#directories,
      inodes: this.#inodes,
      implied: this.#implied,
      linksBelow: this.#linksBelow,
      hiding: this.#hiding,
    };
  }

  #sealDirectory(pending: Pending): void {
    const { directory, isVisible } = pending;
    const isMerged = isVisible && !directory.isOpaque;
    dropNeedless(directory, isMerged);
    this.#applyWhiteouts(pending, isMerged);
    if (isVisible) {
      this.#markOpaque(directory);
      this.#noteImplied(pending);
    }
    this.#tree.inodes.addLink(directory.inode, 2);
    this.#inodes.push(directory.inode);
    this.#sealChildren(pending, isMerged);
    // Names are byte strings: the order of their characters is that of their bytes.
    this.#directories.push({ directory, names: ['.', '..', ...directory.children.keys()].sort() });
  }

  #sealChildren({ directory, path }: Pending, isMerged: boolean): void {
    const { inodes, linksBelow } = this.#tree;
    for (const [name, child] of directory.children) {
      if (child instanceof Directory) {
        inodes.addLink(directory.inode);
        const isVisible = isMerged && !directory.hides(name);
        this.#queue.push({ directory: child, path: joinPath(path, name), isVisible });
        continue;
      }
      const target = linksBelow.get(child);
      if (target === undefined) {
        inodes.addLink(child);
        if (inodes.links(child) === 1) this.#inodes.push(child);
      } else {
        directory.children.delete(name);
        this.#linksBelow.push({ path: this.#tree.reported(joinPath(path, name)), target });
      }
    }
  }

  /** What the layer has itself stays; a directory among it hides all that one below has. */
  #applyWhiteouts({ directory, path }: Pending, isMerged: boolean): void {
    let hides = false;
    for (const name of directory.hidden) {
      const child = directory.children.get(name);
      if (child instanceof Directory) {
        if (isMerged) this.#hideBelow(child);
      } else if (child === undefined && isMerged && this.#isBelow(directory, name)) {
        directory.children.set(name, this.#whiteoutInode());
        hides = true;
      }
    }
    if (hides) this.#hiding.push(this.#tree.reported(path));
  }

  /** Nothing needs to be hidden where nothing is; what is below may not be known. */
  #isBelow(directory: Directory, name: string): boolean {
    return this.#tree.lower === undefined || directory.below?.child(name) !== undefined;
  }

  #markOpaque(directory: Directory): void {
    if (directory.isOpaque) this.#hideBelow(directory);
  }

  #hideBelow(directory: Directory): void {
    const { lower, xattrs } = this.#tree;
    const { parent, name } = directory;
    const below = parent === undefined ? directory.below : parent.below?.child(name);
    if (lower === undefined || below?.kind === 'directory') xattrs.add(directory.inode, OPAQUE);
  }

  #noteImplied({ directory, path }: Pending): void {
    const { origin, wasGuess, hasContent, parent } = directory;
    if (this.#tree.lower !== undefined || !wasGuess || parent === undefined) return;
    const guessed = hasContent ? 'content' : 'whiteouts';
    this.#implied.push({
      path: this.#tree.reported(path),
      for: origin === 'entry' ? 'entry' : guessed,
    });
  }

  /** overlayfs's own form: a character device 0:0 (Documentation/filesystems/overlayfs.rst). */
  #whiteoutInode(): number {
    const attributes = { mode: 0, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 }, xattrs: [] };
    this.#whiteout ??= this.#tree.inodes.add(S_IFCHR, attributes);
    return this.#whiteout;
  }
}

/** Directories that are there for their whiteouts, where nothing can be seen that these could hide. */
function dropNeedless(directory: Directory, isMerged: boolean): void {
  for (const [name, child] of directory.children) {
    const isForWhiteouts = child instanceof Directory && !child.hasContent;
    const isVisible = isMerged && !directory.hides(name);
    if (isForWhiteouts && !isVisible) directory.children.delete(name);
  }
}
