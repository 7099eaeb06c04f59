// Layer images as overlayfs merges them, read without mounting anything.
import type { LowerNode, LowerTree } from '../layer/lower-tree.ts';
import { isImplied } from './depends-on-below.ts';
import { decodeDevice, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from './format.ts';
import { type ErofsImage, type ErofsInode, isDirectory } from './image.ts';

/** What one layer has at a path. */
interface Found {
  readonly image: ErofsImage;
  readonly inode: ErofsInode;
}

const OPAQUE_XATTR = 'trusted.overlay.opaque';

/** The merged tree of `images`, the lowest first. */
export class LayerStack implements LowerTree {
  readonly #roots: readonly Found[];

  constructor(images: readonly ErofsImage[]) {
    this.#roots = merge(images.toReversed().map((image) => ({ image, inode: image.root })));
  }

  lookup(path: string): LowerNode | undefined {
    if (path === '') return this.#root();
    let found = this.#roots;
    for (const component of path.split('/')) {
      const below = found.map(({ image, inode }): Found | undefined => {
        const child = isDirectory(inode) ? image.lookup(inode, component) : undefined;
        return child && { image, inode: child };
      });
      found = merge(below.filter((child) => child !== undefined));
    }
    const [top] = found;
    return top && toLowerNode(top);
  }

  /** The root that the highest layer describes: the others have one only because an image needs it. */
  #root(): LowerNode | undefined {
    const roots = this.#roots.map(toLowerNode);
    return roots.find((root) => !isImplied(root)) ?? roots[0];
  }
}

/** Of what layers have at a path, the highest first, what counts: one thing, or directories that are merged. */
function merge(candidates: readonly Found[]): Found[] {
  const merged: Found[] = [];
  for (const candidate of candidates) {
    const { image, inode } = candidate;
    if (isWhiteout(inode) || (merged.length > 0 && !isDirectory(inode))) break;
    merged.push(candidate);
    if (!isDirectory(inode) || image.xattrs(inode).some(({ name }) => name === OPAQUE_XATTR)) break;
  }
  return merged;
}

const isWhiteout = ({ mode, address }: ErofsInode): boolean => (mode & S_IFMT) === S_IFCHR && address === 0;

// biome-ignore format: a table
const KINDS: ReadonlyMap<number, LowerNode['kind']> = new Map([
  [S_IFDIR, 'directory'],
  [S_IFREG, 'file'],
  [S_IFLNK, 'symlink'],
  [S_IFCHR, 'character'],
  [S_IFBLK, 'block'],
  [S_IFIFO, 'fifo'],
]);

function toLowerNode({ image, inode }: Found): LowerNode {
  const kind = KINDS.get(inode.mode & S_IFMT) ?? 'file';
  const isDevice = kind === 'character' || kind === 'block';
  return {
    kind,
    mode: inode.mode & 0o7777,
    uid: inode.uid,
    gid: inode.gid,
    mtime: inode.mtime,
    xattrs: image.xattrs(inode).filter(({ name }) => name !== OPAQUE_XATTR),
    size: kind === 'file' ? inode.size : 0,
    target: kind === 'symlink' ? image.symlinkTarget(inode) : '',
    ...decodeDevice(isDevice ? inode.address : 0),
    read: (position, into) => image.read(inode, position, into),
  };
}
