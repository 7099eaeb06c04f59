// The metadata of an image: all that stands behind the contents of its files.
import { Directory } from './directory.ts';
import { type Dirent, encodeDirectory } from './dirent.ts';
import {
  EROFS_INODE_FLAT_INLINE,
  EROFS_INODE_FLAT_PLAIN,
  fileType,
  inodeFormat,
  SLOT_BYTES,
} from './format.ts';
import type { ImageWriter } from './image-writer.ts';
import type { LayerTree } from './layer-tree.ts';
import { type Layout, planLayout } from './layout.ts';
import type { SealedDirectory, SealedTree } from './seal.ts';
import { XattrStore } from './xattr-store.ts';

/** What the super block says about it. */
export interface Metadata {
  readonly rootNid: number;
  readonly metaBlock: number;
  readonly xattrBlock: number;
}

/** Writes blocks of directories and links, then attributes that are shared, then the inodes. */
export function writeMetadata(
  writer: ImageWriter,
  tree: LayerTree,
  sealed: SealedTree,
  blockSize: number,
): Metadata {
  const sharedXattrs = tree.xattrs.share(sealed.inodes);
  writer.align(blockSize);
  const layout = planLayout(tree, sealed, blockSize, writer.position / blockSize);
  const contents = new Contents(tree, sealed, layout, blockSize);
  for (const [inode, block] of layout.blocks) {
    tree.inodes.setAddress(inode, block);
    writer.write(contents.of(inode));
    writer.align(blockSize);
  }
  const xattrBlock = writer.position / blockSize;
  writer.write(sharedXattrs);
  writer.align(blockSize);
  const metaBlock = writer.position / blockSize;
  writeInodes(writer, tree, sealed, layout, contents);
  return { rootNid: layout.nids[tree.root.inode] ?? 0, metaBlock, xattrBlock };
}

function writeInodes(
  writer: ImageWriter,
  tree: LayerTree,
  sealed: SealedTree,
  layout: Layout,
  contents: Contents,
): void {
  const start = writer.position;
  sealed.inodes.forEach((inode, n) => {
    const isInline = layout.inline.has(inode);
    const format = inodeFormat(isInline ? EROFS_INODE_FLAT_INLINE : EROFS_INODE_FLAT_PLAIN);
    const xattrCount = XattrStore.count(tree.xattrs.size(inode));
    writer.zeros(start + (layout.nids[inode] ?? 0) * SLOT_BYTES - writer.position);
    writer.write(tree.inodes.encode(inode, { format, xattrCount, number: n + 1 }));
    if (xattrCount > 0) writer.write(tree.xattrs.encode(inode));
    if (isInline) writer.write(contents.of(inode));
  });
}

/** Contents of directories and symbolic links. */
class Contents {
  readonly #tree: LayerTree;
  readonly #layout: Layout;
  readonly #blockSize: number;
  readonly #directories: ReadonlyMap<number, SealedDirectory>;

  constructor(tree: LayerTree, sealed: SealedTree, layout: Layout, blockSize: number) {
    this.#tree = tree;
    this.#layout = layout;
    this.#blockSize = blockSize;
    this.#directories = new Map(sealed.directories.map((entry) => [entry.directory.inode, entry]));
  }

  of(inode: number): Buffer {
    const directory = this.#directories.get(inode);
    if (directory === undefined) return Buffer.from(this.#tree.targets.get(inode) ?? '', 'latin1');
    return encodeDirectory(this.#dirents(directory), this.#blockSize);
  }

  #dirents({ directory, names }: SealedDirectory): Dirent[] {
    return names.map((name) => {
      const inode = inodeAt(directory, name);
      return { name, nid: this.#layout.nids[inode] ?? 0, type: fileType(this.#tree.inodes.mode(inode)) };
    });
  }
}

function inodeAt(directory: Directory, name: string): number {
  if (name === '.') return directory.inode;
  if (name === '..') return (directory.parent ?? directory).inode;
  const child = directory.children.get(name);
  if (child === undefined) throw new RangeError(`directory has no ${name}`);
  return child instanceof Directory ? child.inode : child;
}
