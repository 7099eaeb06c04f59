// A slice of a file as a stream of its bytes.
import { createReadStream } from 'node:fs';
import type { Slice } from './file-tree.ts';

/** One read; larger ones gain nothing, and two layers are read at once. */
const READ_BYTES = 256 * 1024;

export async function* sliceChunks(slice: Slice): AsyncGenerator<Buffer> {
  const { fdNumber, offset, size } = slice;
  if (size === 0) return;
  const range = { start: offset, end: offset + size - 1 };
  yield* createReadStream('', { fd: fdNumber, autoClose: false, highWaterMark: READ_BYTES, ...range });
}
