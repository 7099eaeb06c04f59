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
  /** The way to the path of the last lookup, most of which the next one shares. */
  readonly #trail: { readonly name: string; readonly found: readonly Found[] }[] = [];

  constructor(images: readonly ErofsImage[]) {
    this.#roots = merge(images.toReversed().map((image) => ({ image, inode: image.root })));
  }

  lookup(path: string): LowerNode | undefined {
    if (path === '') return this.#root();
    const names = path.split('/');
    let shared = 0;
    while (shared < names.length && this.#trail[shared]?.name === names[shared]) shared++;
    this.#trail.length = shared;
    let found = this.#trail[shared - 1]?.found ?? this.#roots;
    for (const name of names.slice(shared)) {
      if (found.length === 0) break;
      found = descend(found, name);
      this.#trail.push({ name, found });
    }
    return toLowerNode(found);
  }

  /** The root that the highest layer describes: the others have one only because an image needs it. */
  #root(): LowerNode | undefined {
    const nodes = this.#roots.map((root) => toLowerNode([root]));
    const described = nodes.find((node) => node !== undefined && !isImplied(node)) ?? nodes[0];
    return described && { ...described, child: (name) => toLowerNode(descend(this.#roots, name)) };
  }
}

/** What layers have under a name in the directories that are merged. */
function descend(directories: readonly Found[], name: string): Found[] {
  const children = directories.map(({ image, inode }): Found | undefined => {
    const child = isDirectory(inode) ? image.lookup(inode, name) : undefined;
    return child && { image, inode: child };
  });
  return merge(children.filter((child) => child !== undefined));
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

function toLowerNode(found: readonly Found[]): LowerNode | undefined {
  const [top] = found;
  if (top === undefined) return undefined;
  const { image, inode } = top;
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
    child: (name) => toLowerNode(descend(found, name)),
  };
}
