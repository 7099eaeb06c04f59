// A directory of the tree that a layer becomes.
import { joinPath } from '../layer/path.ts';

/** Where a directory has its attributes from: its entry, the layers below, or nowhere, as the path of another entry implies it. */
export type Origin = 'entry' | 'below' | 'guess';

/** A directory, or the number of any other inode. */
export type TreeNode = Directory | number;

export class Directory {
  readonly parent: Directory | undefined;
  readonly name: string;
  readonly depth: number;
  readonly inode: number;
  readonly children = new Map<string, TreeNode>();
  /** Names that the layer hides from the layers below. */
  readonly whiteouts = new Set<string>();
  origin: Origin;
  /** Whether it was a guess once; its own entry may have come later. */
  readonly wasGuess: boolean;
  /** Whether the layer has an entry for it or in it; if not, it is there for whiteouts. */
  hasContent = false;
  /** Whether all is hidden that the layers below have in it. */
  isOpaque = false;

  constructor(parent: Directory | undefined, name: string, inode: number, origin: Origin) {
    this.parent = parent;
    this.name = name;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.inode = inode;
    this.origin = origin;
    this.wasGuess = origin === 'guess';
  }

  get path(): string {
    return this.parent === undefined ? '' : joinPath(this.parent.path, this.name);
  }

  /** Whether the layers below add what they have in a directory of this path. */
  get isMerged(): boolean {
    return !this.isOpaque && (this.parent === undefined || this.parent.showsBelow(this.name));
  }

  /** Whether what the layers below have here under `name` can be seen. */
  showsBelow(name: string): boolean {
    return !this.whiteouts.has(name) && this.isMerged;
  }
}
