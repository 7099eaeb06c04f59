// A layer of the store, entry by entry, as it was when it came in.
import {
  decodeDevice,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '../erofs/format.ts';
import type { ErofsImage, ErofsInode } from '../erofs/image.ts';
import type { Attributes } from '../layer/entry.ts';
import { joinPath, type LayerPath } from '../layer/path.ts';
import type { LayerSink } from '../layer/sink.ts';

/** Content is handed on in pieces of this size. */
const PIECE_BYTES = 1024 * 1024;

const OPAQUE_XATTR = 'trusted.overlay.opaque';

/** Everything but the root, whose attributes are the image's and not a layer's. */
export function feedStoredLayer(image: ErofsImage, sink: LayerSink<unknown>): void {
  new Walk(image, sink).directory('', image.root);
}

class Walk {
  readonly #image: ErofsImage;
  readonly #sink: LayerSink<unknown>;
  /** Where an inode with several names was seen first. */
  readonly #linked = new Map<number, LayerPath>();
  readonly #buffer = Buffer.allocUnsafe(PIECE_BYTES);

  constructor(image: ErofsImage, sink: LayerSink<unknown>) {
    this.#image = image;
    this.#sink = sink;
  }

  directory(parent: string, directory: ErofsInode): void {
    for (const { name, nid } of this.#image.list(directory)) {
      if (name === '.' || name === '..') continue;
      this.#node({ parent, name }, this.#image.inode(nid));
    }
  }

  #node(path: LayerPath, inode: ErofsInode): void {
    const type = inode.mode & S_IFMT;
    const target = this.#linked.get(inode.nid);
    if (type === S_IFDIR) this.#enter(path, inode);
    else if (type === S_IFCHR && inode.address === 0) this.#sink.entry({ kind: 'whiteout', path });
    else if (target !== undefined) this.#sink.entry({ kind: 'hardlink', path, target });
    else {
      if (inode.links > 1) this.#linked.set(inode.nid, path);
      this.#leaf(path, inode, type);
    }
  }

  #enter(path: LayerPath, inode: ErofsInode): void {
    const { xattrs, ...rest } = this.#attributes(inode);
    const kept = xattrs.filter(({ name }) => name !== OPAQUE_XATTR);
    this.#sink.entry({ kind: 'directory', path, attributes: { ...rest, xattrs: kept } });
    const inside = joinPath(path.parent, path.name);
    if (kept.length < xattrs.length) this.#sink.entry({ kind: 'opaque', path: { parent: inside, name: '' } });
    this.directory(inside, inode);
  }

  #leaf(path: LayerPath, inode: ErofsInode, type: number): void {
    const attributes = this.#attributes(inode);
    switch (type) {
      case S_IFREG: {
        const content = { size: inode.size, storedOffset: 0, storedBytes: inode.size, sparse: undefined };
        this.#sink.entry({ kind: 'file', path, attributes, content });
        this.#content(inode);
        break;
      }
      case S_IFLNK: {
        const target = this.#image.symlinkTarget(inode);
        this.#sink.entry({ kind: 'symlink', path, attributes, target });
        break;
      }
      case S_IFIFO:
        this.#sink.entry({ kind: 'fifo', path, attributes });
        break;
      default: {
        const kind = type === S_IFBLK ? 'block' : 'character';
        this.#sink.entry({ kind, path, attributes, ...decodeDevice(inode.address) });
      }
    }
  }

  #content(inode: ErofsInode): void {
    for (let position = 0; position < inode.size; position += PIECE_BYTES) {
      const piece = this.#buffer.subarray(0, Math.min(PIECE_BYTES, inode.size - position));
      this.#image.read(inode, position, piece);
      this.#sink.content?.(piece);
    }
  }

  #attributes(inode: ErofsInode): Attributes {
    const { mode, uid, gid, mtime } = inode;
    return { mode: mode & 0o7777, uid, gid, mtime, xattrs: this.#image.xattrs(inode) };
  }
}
