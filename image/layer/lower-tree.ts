// What the layers below hold together, for a layer that means something by it.
import type { Attributes } from './entry.ts';

export interface LowerNode extends Attributes {
  readonly kind: 'directory' | 'file' | 'symlink' | 'character' | 'block' | 'fifo';
  /** Of a file; 0 otherwise. */
  readonly size: number;
  /** Of a symbolic link; `''` otherwise. */
  readonly target: string;
  readonly major: number;
  readonly minor: number;
  /** Reads content of a file into all of `into`, which ends no later than the file. */
  read(position: number, into: Buffer): void;
  /** What a directory has under a name. */
  child(name: string): LowerNode | undefined;
}

export interface LowerTree {
  /**
   * What is at `path` (clean, a byte string, `''` for the root) when all layers below are merged. No symbolic link is
   * followed, on the way neither: a path through one leads to nothing. Paths that are asked for in order cost the least.
   */
  lookup(path: string): LowerNode | undefined;
}
