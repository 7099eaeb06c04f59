// What each entry of a layer does to the tree, in the archive's order: the last entry of a path wins.
import type { Attributes, LayerEntry } from '../layer/entry.ts';
import { LayerError, quoteBytes } from '../layer/error.ts';
import type { LowerNode } from '../layer/lower-tree.ts';
import { joinPath, type LayerPath } from '../layer/path.ts';
import { Directory } from './directory.ts';
import { encodeDevice, S_IFBLK, S_IFCHR, S_IFIFO, S_IFLNK, S_IFREG } from './format.ts';
import { IMPLIED, type LayerTree } from './layer-tree.ts';

/** The inode of a file, whose content is then the caller's to place. */
export function applyEntry(tree: LayerTree, entry: LayerEntry): number | undefined {
  switch (entry.kind) {
    case 'file':
      return addLeaf(tree, entry.path, tree.newInode(S_IFREG, entry.attributes, entry.content.size));
    case 'directory':
      addDirectory(tree, entry.path, entry.attributes);
      break;
    case 'hardlink':
      addLink(tree, entry.path, entry.target);
      break;
    case 'whiteout':
    case 'opaque':
      hide(tree, entry.kind, entry.path);
      break;
    default:
      addLeaf(tree, entry.path, newSpecial(tree, entry, entry.attributes));
  }
  return undefined;
}

function addLeaf(tree: LayerTree, { parent, name }: LayerPath, inode: number): number {
  tree.place(tree.parent(parent), name, inode);
  return inode;
}

function addDirectory(tree: LayerTree, path: LayerPath, attributes: Attributes): void {
  if (path.name === '') {
    describe(tree, tree.root, attributes);
    return;
  }
  const parent = tree.parent(path.parent);
  const existing = parent.children.get(path.name);
  if (existing instanceof Directory) describe(tree, existing, attributes);
  else addNewDirectory(tree, parent, path.name, attributes);
}

function addNewDirectory(tree: LayerTree, parent: Directory, name: string, attributes: Attributes): void {
  const below = parent.children.has(name) ? undefined : tree.below(parent, name);
  const directory = tree.newDirectory(parent, name, below, attributes);
  directory.hasContent = true;
  tree.place(parent, name, directory);
}

/** A directory that is there keeps what is in it. */
function describe(tree: LayerTree, directory: Directory, attributes: Attributes): void {
  tree.inodes.describe(directory.inode, attributes);
  tree.xattrs.set(directory.inode, attributes.xattrs);
  directory.origin = 'entry';
  directory.hasContent = true;
}

type Special =
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'character' | 'block'; readonly major: number; readonly minor: number }
  | { readonly kind: 'fifo' };

function newSpecial(tree: LayerTree, special: Special, attributes: Attributes): number {
  switch (special.kind) {
    case 'fifo':
      return tree.newInode(S_IFIFO, attributes);
    case 'symlink': {
      const inode = tree.newInode(S_IFLNK, attributes, special.target.length);
      tree.targets.set(inode, special.target);
      return inode;
    }
    case 'character':
    case 'block': {
      const inode = tree.newInode(special.kind === 'block' ? S_IFBLK : S_IFCHR, attributes);
      tree.inodes.setAddress(inode, encodeDevice(special.major, special.minor));
      return inode;
    }
  }
}

/** Hard links are to the last component of their target, even if that is a symbolic link. */
function addLink(tree: LayerTree, path: LayerPath, target: LayerPath): void {
  const parent = tree.parent(path.parent);
  const targetParent = tree.resolve(target.parent, 'link');
  if (targetParent === parent && target.name === path.name)
    throw refusedLink(path, target, 'it is the link itself');
  const child = targetParent?.children.get(target.name);
  const isGuess = child instanceof Directory && tree.isGuess(child);
  const found = child === undefined || isGuess ? linkBelow(tree, path, target, targetParent) : child;
  if (found instanceof Directory) throw refusedLink(path, target, 'it is a directory');
  tree.place(parent, path.name, found);
}

/** The target lies below: it is copied up, so that both names are one file in the merged tree too. */
function linkBelow(
  tree: LayerTree,
  path: LayerPath,
  target: LayerPath,
  targetParent: Directory | undefined,
): number {
  const isPossible = targetParent === undefined || targetParent.showsBelow(target.name);
  if (tree.lower === undefined && isPossible) {
    const standIn = tree.inodes.add(0, IMPLIED);
    tree.linksBelow.set(standIn, joinPath(target.parent, target.name));
    return standIn;
  }
  const below = targetParent && tree.below(targetParent, target.name);
  if (targetParent === undefined || below === undefined)
    throw refusedLink(path, target, 'there is no such file');
  if (below.kind === 'directory') throw refusedLink(path, target, 'it is a directory');
  const inode = copyUp(tree, below);
  tree.place(tree.parent(target.parent), target.name, inode);
  return inode;
}

function copyUp(tree: LayerTree, node: LowerNode): number {
  const { kind, target, major, minor } = node;
  switch (kind) {
    case 'symlink':
      return newSpecial(tree, { kind, target }, node);
    case 'character':
    case 'block':
      return newSpecial(tree, { kind, major, minor }, node);
    case 'fifo':
      return newSpecial(tree, { kind }, node);
    default: {
      const inode = tree.newInode(S_IFREG, node, node.size);
      tree.copies.set(inode, node);
      return inode;
    }
  }
}

function hide(tree: LayerTree, kind: 'whiteout' | 'opaque', { parent, name }: LayerPath): void {
  const directory = tree.resolve(parent, 'whiteout');
  if (directory === undefined) return;
  if (kind === 'opaque') directory.isOpaque = true;
  else directory.hide(name);
  tree.forgetPaths();
}

function refusedLink(path: LayerPath, target: LayerPath, why: string): LayerError {
  const names = [target, path].map(({ parent, name }) => quoteBytes(joinPath(parent, name)));
  return new LayerError('REFUSED', `cannot link ${names.join(' to ')}: ${why}`);
}
