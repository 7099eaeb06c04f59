// An archive of an image, indexed in one pass and read in place: no name in it ever reaches the host's file system.
import { fstatSync, openSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { type Extract, extract, type Header } from 'tar-stream';
import { Fd } from '../../sys/fd.ts';
import { ImageError } from '../error.ts';
import type { FileTree, Slice } from './file-tree.ts';

/** Entries of an image archive are blobs and a few documents; an index of more would only fill our memory. */
const ENTRIES_MAX = 100_000;

/** What a compressed archive may unfold to on our disk: more than any image, less than an endless stream of zeros. */
const UNPACKED_BYTES_MAX = 256 * 1024 ** 3;

/** `docker save` links a layer that occurs twice to its first copy. */
const LINK_HOPS_MAX = 8;

const CHUNK_BYTES = 256 * 1024;

/** An entry's content follows its header; a pax header comes before that one. */
const HEADER_BYTES = 512;

/** A stretch of the archive, or a link to another entry. */
type Entry = { readonly offset: number; readonly size: number } | { readonly target: string };

/** Makes a new, unnamed file for an archive that cannot be read in place: a compressed one, or a pipe. */
export type OpenSpool = () => Fd;

export class ArchiveTree implements FileTree {
  readonly location: string;
  readonly #fd: Fd;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(location: string, fd: Fd, entries: ReadonlyMap<string, Entry>) {
    this.location = location;
    this.#fd = fd;
    this.#entries = entries;
  }

  /** @throws {ImageError} for an archive that is broken or holds what it should not. */
  static async open(location: string, openSpool: OpenSpool): Promise<ArchiveTree> {
    using source = new Fd(openSync(location, 'r'));
    const head = Buffer.alloc(CHUNK_BYTES);
    const headBytes = readFully(source.number, head);
    const inflate = decompressor(head);
    const isReadInPlace = inflate === undefined && fstatSync(source.number).isFile();
    using spool = isReadInPlace ? undefined : openSpool();
    const chunks = readChunks(source.number, head.subarray(0, headBytes));
    const index = new EntryIndex(location);
    try {
      const spooled = spool === undefined ? [] : [appendTo(spool.number, location)];
      await pipeline([chunks, ...(inflate === undefined ? [] : [inflate]), ...spooled, index.extractor]);
    } catch (error) {
      throw explain(error, location);
    }
    return new ArchiveTree(location, new Fd((spool ?? source).release()), index.entries);
  }

  open(name: string): Slice | undefined {
    let entry = this.#entries.get(name);
    for (let hops = 0; entry !== undefined && 'target' in entry; hops++) {
      if (hops === LINK_HOPS_MAX) {
        throw new ImageError(
          'REJECTED',
          `cannot read "${name}" of "${this.location}": too many levels of links`,
        );
      }
      entry = this.#entries.get(entry.target);
    }
    if (entry === undefined) return undefined;
    return { ...entry, fdNumber: this.#fd.number, [Symbol.dispose]: () => {} };
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}

class EntryIndex {
  readonly entries = new Map<string, Entry>();
  readonly extractor: Extract = extract();
  readonly #location: string;

  constructor(location: string) {
    this.#location = location;
    this.extractor.on('entry', (header, content, next) => {
      // What is wrong with an entry is wrong with the archive, which says so itself.
      content.on('error', () => {}).resume();
      next(this.#add(header, content.offset + HEADER_BYTES));
    });
  }

  #add({ name, type, size, linkname }: Header, offset: number): ImageError | undefined {
    const key = plainName(name);
    if (type === 'directory' || key === undefined) return undefined;
    if (this.entries.has(key)) return this.#reject(`holds two entries named "${key}"`);
    if (this.entries.size === ENTRIES_MAX) return this.#reject(`holds more than ${ENTRIES_MAX} entries`);
    if (type === 'symlink' || type === 'link') {
      const from = type === 'symlink' ? path.posix.dirname(key) : '.';
      const target = plainName(path.posix.join(from, linkname));
      if (target !== undefined) this.entries.set(key, { target });
    } else if (type === 'file' || type === 'contiguous-file') {
      this.entries.set(key, { offset, size });
    }
    return undefined;
  }

  #reject(why: string): ImageError {
    return new ImageError('REJECTED', `cannot read archive "${this.#location}": it ${why}`);
  }
}

/** `./blobs/x` is `blobs/x`; a name that leaves the archive names nothing in it. */
function plainName(name: string): string | undefined {
  const normal = path.posix.normalize(name);
  return normal.startsWith('/') || normal === '.' || normal.split('/').includes('..') ? undefined : normal;
}

/** By its first bytes; the file's name proves nothing. */
function decompressor(head: Buffer): NodeJS.ReadWriteStream | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return createGunzip();
  if (head.readUInt32LE(0) === 0xfd2fb528) return createZstdDecompress();
  return undefined;
}

function readFully(fd: number, into: Buffer): number {
  let done = 0;
  while (done < into.length) {
    const count = readSync(fd, into, done, into.length - done, null);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** From the descriptor's own position on, so that a pipe serves as well as a file. */
async function* readChunks(fd: number, first: Buffer): AsyncGenerator<Buffer> {
  yield first;
  for (;;) {
    // A fresh buffer each time: the stages that follow keep pieces of it.
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const count = readFully(fd, chunk);
    if (count === 0) return;
    yield chunk.subarray(0, count);
  }
}

function appendTo(fd: number, location: string) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let total = 0;
    for await (const chunk of chunks) {
      total += chunk.length;
      if (total > UNPACKED_BYTES_MAX) {
        throw new ImageError(
          'REJECTED',
          `cannot read archive "${location}": it unfolds to more than ${UNPACKED_BYTES_MAX} bytes`,
        );
      }
      for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done);
      yield chunk;
    }
  };
}

/** Failing reads and writes keep their own errors; what is left is the archive's fault. */
function explain(error: unknown, location: string): unknown {
  if (error instanceof ImageError || (error instanceof Error && 'syscall' in error)) return error;
  const cause = error instanceof Error ? error.message : String(error);
  return new ImageError('REJECTED', `cannot read archive "${location}": ${cause.toLowerCase()}`);
}
