// A directory of the tree that a layer becomes.
import type { LowerNode } from '../layer/lower-tree.ts';

/** Where a directory has its attributes from: its entry, the layers below, or nowhere, as the path of another entry implies it. */
export type Origin = 'entry' | 'below' | 'guess';

/** A directory, or the number of any other inode. */
export type TreeNode = Directory | number;

export class Directory {
  readonly parent: Directory | undefined;
  readonly name: string;
  readonly depth: number;
  readonly inode: number;
  /** The directory of this path in the layers below, if they are known and have one. */
  readonly below: LowerNode | undefined;
  readonly children = new Map<string, TreeNode>();
  origin: Origin;
  /** Whether it was a guess once; its own entry may have come later. */
  readonly wasGuess: boolean;
  /** Whether the layer has an entry for it or in it; if not, it is there for whiteouts. */
  hasContent = false;
  /** Whether all is hidden that the layers below have in it. */
  isOpaque = false;
  /** Most directories have none, and an empty set takes 200 bytes. */
  #hidden: Set<string> | undefined;

  constructor(
    parent: Directory | undefined,
    name: string,
    inode: number,
    origin: Origin,
    below: LowerNode | undefined,
  ) {
    this.parent = parent;
    this.name = name;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.inode = inode;
    this.below = below?.kind === 'directory' ? below : undefined;
    this.origin = origin;
    this.wasGuess = origin === 'guess';
  }

  get path(): string {
    const names: string[] = [];
    for (let at: Directory = this; at.parent !== undefined; at = at.parent) names.push(at.name);
    return names.reverse().join('/');
  }

  /** Names of the layers below that this one hides. */
  get hidden(): Iterable<string> {
    return this.#hidden ?? [];
  }

  hide(name: string): void {
    this.#hidden ??= new Set();
    this.#hidden.add(name);
  }

  hides(name: string): boolean {
    return this.#hidden?.has(name) === true;
  }

  /** Whether the layers below add what they have in a directory of this path. */
  get isMerged(): boolean {
    return !this.isOpaque && (this.parent === undefined || this.parent.showsBelow(this.name));
  }

  /** Whether what the layers below have here under `name` can be seen. */
  showsBelow(name: string): boolean {
    return !this.hides(name) && this.isMerged;
  }
}
