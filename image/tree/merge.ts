// Applies layers to a tree, entry by entry, as image-spec's layer.md has it; what happens is told to an observer.

import type { LayerEntry } from '../layer/entry.ts';
import { LayerError, quoteBytes } from '../layer/error.ts';
import { DEFAULT_LIMITS } from '../layer/limits.ts';
import { joinPath, type LayerPath } from '../layer/path.ts';
import {
  type Directory,
  IMPLICIT_ATTRIBUTES,
  type Leaf,
  type Name,
  NO_LAYER,
  type Node,
  newDirectory,
} from './node.ts';

/** A place in the tree. */
export interface Place {
  readonly directory: Directory;
  readonly name: string;
}

/** Called before the tree changes accordingly, in the order in which a file system has to follow. */
export interface TreeObserver {
  makeDirectory?(place: Place, directory: Directory): void;
  make?(place: Place, leaf: Leaf): void;
  link?(place: Place, existing: Place): void;
  /** With all that is in it. */
  remove?(place: Place, node: Node): void;
}

/** Paths are bounded, but symbolic links lead from the end of one to the beginning of the next. */
const DIRECTORY_DEPTH_MAX = DEFAULT_LIMITS.depth;

/** MAXSYMLINKS of the kernel. */
const SYMLINKS_MAX = 40;

type EntryOf<K extends LayerEntry['kind']> = Extract<LayerEntry, { readonly kind: K }>;

export class MergedTree {
  readonly root: Directory = newDirectory(undefined, '');
  #observer: TreeObserver = {};
  #layer = NO_LAYER;
  /** Directories by path as entries spell it; emptied when a name on the way may lead elsewhere. */
  readonly #resolved = new Map<string, Directory>();

  observe(observer: TreeObserver): void {
    this.#observer = observer;
  }

  /** What follows is the next layer's. */
  beginLayer(): void {
    this.#layer++;
  }

  apply(entry: LayerEntry): void {
    switch (entry.kind) {
      case 'directory':
        this.#directory(entry);
        break;
      case 'hardlink':
        this.#hardlink(entry);
        break;
      case 'whiteout':
        this.#whiteout(entry);
        break;
      case 'opaque':
        this.#opaque(entry);
        break;
      default:
        this.#leaf(entry);
        break;
    }
  }

  #directory({ path, attributes }: EntryOf<'directory'>): void {
    if (path.name === '') {
      this.root.attributes = attributes;
      return;
    }
    const directory = this.#parent(path);
    const existing = directory.children.get(path.name);
    if (existing?.node.kind === 'directory') {
      existing.node.attributes = attributes;
      existing.layer = this.#layer;
    } else {
      this.#makeDirectory({ directory, name: path.name }).attributes = attributes;
    }
  }

  #leaf(entry: EntryOf<Leaf['kind']>): void {
    const place = this.#clear(entry.path);
    const leaf: Leaf = entry.kind === 'file' ? { ...entry, layer: this.#layer } : entry;
    this.#observer.make?.(place, leaf);
    place.directory.children.set(place.name, { node: leaf, layer: this.#layer });
  }

  #hardlink({ path, target }: EntryOf<'hardlink'>): void {
    const directory = this.#find(target);
    const node = directory?.children.get(target.name)?.node;
    if (directory === undefined || node === undefined || node.kind === 'directory') {
      throw refused(path, `there is no file ${quoteBytes(joinPath(target.parent, target.name))} to link to`);
    }
    const parent = this.#parent(path);
    // Its text did not show it: a symbolic link led to the same place.
    if (parent === directory && path.name === target.name) throw refused(path, 'a hard link to itself');
    requireNotInside(path, directory, parent.children.get(path.name)?.node);
    const place = this.#clear(path);
    this.#observer.link?.(place, { directory, name: target.name });
    place.directory.children.set(place.name, { node, layer: this.#layer });
  }

  #whiteout({ path }: EntryOf<'whiteout'>): void {
    const directory = this.#find(path);
    const hidden = directory?.children.get(path.name);
    if (directory === undefined || hidden === undefined) return;
    if (!this.#isOwn(hidden)) this.#remove({ directory, name: path.name }, hidden.node);
    else if (hidden.node.kind === 'directory') this.#hideOlderIn(hidden, hidden.node);
  }

  #opaque({ path }: EntryOf<'opaque'>): void {
    const directory = this.#find(path);
    if (directory !== undefined) this.#hideOlder(directory);
  }

  /** Removes what older layers have in the directory; what this one has stays, wherever it stands in its archive. */
  #hideOlder(directory: Directory): void {
    // A second marker finds nothing older; a million of them must not look for it each time.
    if (directory.hiddenBy === this.#layer) return;
    directory.hiddenBy = this.#layer;
    for (const [name, child] of directory.children) {
      if (!this.#isOwn(child)) this.#remove({ directory, name }, child.node);
      else if (child.node.kind === 'directory') this.#hideOlderIn(child, child.node);
    }
  }

  #hideOlderIn(name: Name, directory: Directory): void {
    // The directory itself is older, and hidden too: this layer has only entries inside it, so makes it anew.
    if (name.layer !== this.#layer) directory.attributes = IMPLICIT_ATTRIBUTES;
    this.#hideOlder(directory);
  }

  /** Whether this layer has said anything about the name, or about one below it. */
  #isOwn({ node, layer }: Name): boolean {
    return layer === this.#layer || (node.kind === 'directory' && node.touchedBy === this.#layer);
  }

  /** Makes way for something that is not a directory. */
  #clear({ parent, name }: LayerPath): Place {
    const directory = this.#parent({ parent, name });
    const place = { directory, name };
    const existing = directory.children.get(name);
    if (existing !== undefined) this.#remove(place, existing.node);
    return place;
  }

  #remove(place: Place, node: Node): void {
    if (node.kind === 'directory' || node.kind === 'symlink') this.#resolved.clear();
    this.#observer.remove?.(place, node);
    place.directory.children.delete(place.name);
  }

  #makeDirectory(place: Place): Directory {
    const existing = place.directory.children.get(place.name);
    if (existing !== undefined) this.#remove(place, existing.node);
    const directory = newDirectory(place.directory, place.name);
    if (directory.depth > DIRECTORY_DEPTH_MAX) {
      throw new LayerError('LIMIT', `cannot take directories nested deeper than ${DIRECTORY_DEPTH_MAX}`);
    }
    this.#observer.makeDirectory?.(place, directory);
    place.directory.children.set(place.name, { node: directory, layer: this.#layer });
    return directory;
  }

  /** The directory that an entry goes into; those on the way are made where they are missing. */
  #parent({ parent }: LayerPath): Directory {
    let directory = this.#resolved.get(parent);
    if (directory === undefined) {
      const end = this.#walk(parent, (place) => this.#makeDirectory(place));
      if (end === undefined || end.kind !== 'directory') throw notDirectory(parent, end);
      directory = end;
      this.#resolved.set(parent, directory);
    }
    for (let above = directory; above.touchedBy !== this.#layer; above = above.parent)
      above.touchedBy = this.#layer;
    return directory;
  }

  /**
   * The same for what does not make anything: undefined where there is no such directory. That is no fault of the
   * layer; umoci writes whiteouts for all that was in a directory which the same layer replaces with a file. A path
   * that goes in circles is one.
   */
  #find({ parent }: LayerPath): Directory | undefined {
    const end = this.#resolved.get(parent) ?? this.#walk(parent, () => undefined);
    if (end?.kind === 'symlink') throw notDirectory(parent, end);
    return end?.kind === 'directory' ? end : undefined;
  }

  /** Where the path ends: early at what is not a directory, or at a symbolic link of too many. */
  #walk(path: string, make: (place: Place) => Directory | undefined): Node | undefined {
    let directory = this.root;
    let links = 0;
    const left = path === '' ? [] : path.split('/').reverse();
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        directory = directory.parent;
        continue;
      }
      const node = directory.children.get(name)?.node ?? make({ directory, name });
      if (node?.kind === 'directory') directory = node;
      else if (node?.kind === 'symlink' && links < SYMLINKS_MAX) {
        links++;
        if (node.target.startsWith('/')) directory = this.root;
        left.push(...node.target.split('/').reverse());
      } else return node;
    }
    return directory;
  }
}

const refused = ({ parent, name }: LayerPath, why: string): LayerError =>
  new LayerError('REFUSED', `cannot take ${quoteBytes(joinPath(parent, name))}: ${why}`);

/** A link that replaces a directory cannot lead into it. */
function requireNotInside(path: LayerPath, directory: Directory, replaced: Node | undefined): void {
  if (replaced?.kind !== 'directory') return;
  for (let above = directory; above.depth > 0; above = above.parent) {
    if (above === replaced) throw refused(path, 'the link replaces the directory that its target is in');
  }
}

function notDirectory(path: string, end: Node | undefined): LayerError {
  const why =
    end?.kind === 'symlink' ? 'leads through too many symbolic links' : 'leads through what is no directory';
  return new LayerError('REFUSED', `cannot take what is in ${quoteBytes(path)}: the path ${why}`);
}
