// Where in an image each inode and each directory goes.
import { directorySize } from './dirent.ts';
import { INODE_BYTES, SLOT_BYTES } from './format.ts';
import type { LayerTree } from './layer-tree.ts';
import type { SealedTree } from './seal.ts';

/**
 * Content of directories and links is put behind its inode if both fit in this part of a block: the rest of a block
 * that is too small for it is lost, and so would be most of a block of its own.
 */
const INLINE_PART = 3 / 4;

/** The root's number has 16 bits, and 0 would make readdir(3) callers take it for a deleted entry. */
const FIRST_SLOT = 2;

export interface Layout {
  /** By inode: its slot in the metadata area. */
  readonly nids: Uint32Array;
  /** Inodes whose content lies behind them. */
  readonly inline: ReadonlySet<number>;
  /** By inode, in the order of the image: directories and links whose content has blocks of its own. */
  readonly blocks: ReadonlyMap<number, number>;
  /** Blocks that those take. */
  readonly blockCount: number;
  /** Bytes of the metadata area. */
  readonly metaBytes: number;
}

/** `firstBlock` is where content of directories and links begins. */
export function planLayout(
  tree: LayerTree,
  sealed: SealedTree,
  blockSize: number,
  firstBlock: number,
): Layout {
  const nids = new Uint32Array(tree.inodes.count);
  const inline = new Set<number>();
  const blocks = new Map<number, number>();
  const contentSizes = measure(tree, sealed, blockSize);
  let blockCount = 0;
  let at = FIRST_SLOT * SLOT_BYTES;
  for (const inode of sealed.inodes) {
    const contentSize = contentSizes.get(inode) ?? 0;
    const headBytes = INODE_BYTES + tree.xattrs.size(inode);
    const isInline = contentSize > 0 && headBytes + contentSize <= blockSize * INLINE_PART;
    if (isInline) {
      inline.add(inode);
      at = unbroken(at, headBytes + contentSize, blockSize);
    } else {
      at = unbroken(at, INODE_BYTES, blockSize);
      if (contentSize > 0) {
        blocks.set(inode, firstBlock + blockCount);
        blockCount += Math.ceil(contentSize / blockSize);
      }
    }
    nids[inode] = at / SLOT_BYTES;
    const end = at + headBytes + (isInline ? contentSize : 0);
    at = Math.ceil(end / SLOT_BYTES) * SLOT_BYTES;
  }
  return { nids, inline, blocks, blockCount, metaBytes: at };
}

/** The next place from `at` where `bytes` do not cross from one block into the next, which the kernel refuses. */
function unbroken(at: number, bytes: number, blockSize: number): number {
  return (at % blockSize) + bytes <= blockSize ? at : Math.ceil(at / blockSize) * blockSize;
}

/** Sizes of what the metadata has the content of: directories and symbolic links. They are noted in the inodes too. */
function measure(tree: LayerTree, sealed: SealedTree, blockSize: number): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const { directory, names } of sealed.directories) {
    const size = directorySize(names, blockSize);
    tree.inodes.setSize(directory.inode, size);
    sizes.set(directory.inode, size);
  }
  for (const [inode, target] of tree.targets) sizes.set(inode, target.length);
  return sizes;
}
