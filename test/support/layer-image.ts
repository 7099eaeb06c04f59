// Builds layer images in a temporary file, and lists what is in them.
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  decodeDevice,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '../../image/erofs/format.ts';
import { ErofsImage, type ErofsInode } from '../../image/erofs/image.ts';
import { createErofsSink, type ErofsLayer, type ErofsOptions } from '../../image/erofs/sink.ts';
import { buildLayer } from '../../image/layer/build.ts';

/** An image file, removed at the end of its scope. */
export class BuiltImage implements Disposable {
  readonly layer: ErofsLayer;
  readonly image: ErofsImage;
  readonly file: string;
  readonly #fd: number;
  readonly #folder: string;

  constructor(layer: ErofsLayer, folder: string, file: string, fd: number) {
    this.layer = layer;
    this.image = new ErofsImage(fd);
    this.file = file;
    this.#folder = folder;
    this.#fd = fd;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
    rmSync(this.#folder, { recursive: true });
  }
}

/** Builds an image of an archive, which is fed in chunks that end nowhere in particular. */
export async function buildImage(archive: Buffer, options: ErofsOptions = {}): Promise<BuiltImage> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hull-layer-'));
  const file = path.join(folder, 'layer.erofs');
  const fd = openSync(file, 'w+', 0o600);
  try {
    const { output } = await buildLayer(inChunks(archive, 100_003), {
      sink: createErofsSink(fd, options),
      limits: options.limits,
    });
    return new BuiltImage(output, folder, file, fd);
  } catch (error) {
    closeSync(fd);
    rmSync(folder, { recursive: true });
    throw error;
  }
}

export async function* inChunks(bytes: Buffer, chunkBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

/** One file as a listing shows it; the names of the fields are those of `list-tree.py`. */
export interface Listed {
  type: string;
  mode: number;
  uid: number;
  gid: number;
  /** Seconds, with nine digits behind the point. */
  mtime: string;
  nlink?: number;
  rdev?: string;
  size?: number;
  sha256?: string;
  target?: string;
  /** Values in hexadecimal. */
  xattrs?: Record<string, string>;
}

export type Listing = Record<string, Listed>;

/** All that is in an image, by path; the root is `''`. */
export function listImage(image: ErofsImage): Listing {
  const listing: Listing = {};
  const walk = (name: string, inode: ErofsInode): void => {
    listing[name] = describe(image, inode);
    if ((inode.mode & S_IFMT) !== S_IFDIR) return;
    for (const dirent of image.list(inode)) {
      if (dirent.name === '.' || dirent.name === '..') continue;
      walk(name === '' ? dirent.name : `${name}/${dirent.name}`, image.inode(dirent.nid));
    }
  };
  walk('', image.root);
  return listing;
}

const TYPES: ReadonlyMap<number, string> = new Map([
  [S_IFDIR, 'directory'],
  [S_IFREG, 'file'],
  [S_IFLNK, 'symlink'],
  [S_IFCHR, 'character'],
  [S_IFBLK, 'block'],
  [S_IFIFO, 'fifo'],
]);

function describe(image: ErofsImage, inode: ErofsInode): Listed {
  const type = TYPES.get(inode.mode & S_IFMT) ?? '?';
  const { seconds, nanoseconds } = inode.mtime;
  const listed: Listed = {
    type,
    mode: inode.mode & 0o7777,
    uid: inode.uid,
    gid: inode.gid,
    mtime: `${seconds}.${String(nanoseconds).padStart(9, '0')}`,
  };
  if (type !== 'directory') listed.nlink = inode.links;
  if (type === 'symlink') listed.target = image.symlinkTarget(inode);
  if (type === 'character' || type === 'block') {
    const { major, minor } = decodeDevice(inode.address);
    listed.rdev = `${major}:${minor}`;
  }
  if (type === 'file') {
    const content = Buffer.alloc(inode.size);
    image.read(inode, 0, content);
    listed.size = inode.size;
    listed.sha256 = sha256(content);
  }
  const xattrs = image.xattrs(inode).map(({ name, value }) => [name, value.toString('hex')] as const);
  if (xattrs.length > 0) listed.xattrs = Object.fromEntries(xattrs.sort());
  return listed;
}

export const sha256 = (content: string | Buffer): string =>
  createHash('sha256')
    .update(Buffer.from(content as string, 'latin1'))
    .digest('hex');

/** `path` or `path -> target`, sorted: enough for a tree's shape. */
export function shapeOf(listing: Listing): string[] {
  return Object.entries(listing)
    .map(([name, { type, target, rdev }]) => {
      if (type === 'directory') return `${name}/`;
      if (type === 'symlink') return `${name} -> ${target}`;
      return rdev === '0:0' ? `${name} (whiteout)` : name;
    })
    .sort();
}
