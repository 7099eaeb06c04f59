// How the contents of files get into an image.
import { readSync } from 'node:fs';
import type { StoredContent } from '../layer/entry.ts';
import type { LowerNode } from '../layer/lower-tree.ts';
import { EROFS_NULL_ADDR } from './format.ts';
import { ImageWriter, writeAll } from './image-writer.ts';

/** Where contents begin: behind the super block, on a page. */
export const DATA_START = 4096;

/** Contents that are copied at the end go through a buffer of this size. */
const COPY_BYTES = 256 * 1024;

/** Takes the contents of a layer; each file gets the address of its first block. */
export interface Placement {
  readonly tar?: (chunk: Uint8Array) => void;
  readonly content?: (chunk: Uint8Array) => void;
  readonly hole?: (bytes: number) => void;
  /** The address, or `undefined` for a file whose content is placed at the end. */
  begin(content: StoredContent): number | undefined;
  /** Continues behind all contents. */
  end(): ImageWriter;
}

/**
 * The archive becomes part of the image, and files point into it: a tar stores contents in whole blocks of 512 bytes,
 * as an image of that block size does. Nothing is copied, and the image still has the whole layer in it.
 */
export function placeTar(fd: number, blockSize: number): Placement {
  let position = DATA_START;
  return {
    tar(chunk) {
      writeAll(fd, chunk, position);
      position += chunk.length;
    },
    begin({ size, storedOffset, sparse }) {
      if (sparse !== undefined) return undefined;
      return size === 0 ? EROFS_NULL_ADDR : (DATA_START + storedOffset) / blockSize;
    },
    end: () => new ImageWriter(fd, position),
  };
}

/** Contents one after the other, each from a new block on: for kernels whose blocks have 4096 bytes (before 6.4). */
export function placePacked(fd: number, blockSize: number): Placement {
  const writer = new ImageWriter(fd, DATA_START);
  return {
    content: (chunk) => writer.write(chunk),
    hole: (bytes) => writer.skip(bytes),
    begin({ size }) {
      writer.align(blockSize);
      return size === 0 ? EROFS_NULL_ADDR : writer.position / blockSize;
    },
    end: () => writer,
  };
}

/** Copies the stored parts of a sparse file from the archive in the image to where the writer is. */
export function copySparse(
  writer: ImageWriter,
  fd: number,
  { size, storedOffset, sparse }: StoredContent,
): void {
  writer.flush();
  const start = writer.position;
  let from = DATA_START + storedOffset;
  for (const { offset, length } of sparse?.segments ?? []) {
    writer.skip(start + offset - writer.position);
    const base = from;
    copy(writer, length, (position, into) => readAll(fd, into, base + position));
    from += length;
  }
  writer.skip(start + size - writer.position);
}

export function copyLower(writer: ImageWriter, node: LowerNode): void {
  copy(writer, node.size, (position, into) => node.read(position, into));
}

function copy(writer: ImageWriter, bytes: number, read: (position: number, into: Buffer) => void): void {
  const buffer = Buffer.allocUnsafe(Math.min(bytes, COPY_BYTES));
  for (let position = 0; position < bytes; position += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, bytes - position));
    read(position, part);
    writer.write(part);
  }
}

function readAll(fd: number, into: Buffer, position: number): void {
  let done = 0;
  while (done < into.length) {
    const read = readSync(fd, into, done, into.length - done, position + done);
    if (read === 0) throw new RangeError('an image ends before the archive in it');
    done += read;
  }
}
