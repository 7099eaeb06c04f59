// A slice of a file as a stream of its bytes.
import { read } from 'node:fs';
import { promisify } from 'node:util';
import type { Slice } from './file-tree.ts';

/** One read; larger ones gain nothing, and two layers are read at once. */
const READ_BYTES = 256 * 1024;

const readAt = promisify(read);

/**
 * One read ahead of its user. Not a ReadStream of node:fs: that one closes the descriptor when it is left early,
 * `autoClose` or not, and the descriptor is the slice's.
 */
export async function* sliceChunks({ fdNumber, offset, size }: Slice): AsyncGenerator<Buffer> {
  let next = readPiece(fdNumber, offset, size);
  try {
    for (let position = 0; position < size; ) {
      const chunk = await next;
      if (chunk.length === 0) return;
      position += chunk.length;
      if (position < size) next = readPiece(fdNumber, offset + position, size - position);
      yield chunk;
    }
  } finally {
    // What is on its way must have arrived before the slice can be closed.
    await next.catch(() => {});
  }
}

function readPiece(fdNumber: number, position: number, bytesMax: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, bytesMax));
  const piece = readAt(fdNumber, buffer, 0, buffer.length, position).then(({ bytesRead }) => {
    return buffer.subarray(0, bytesRead);
  });
  // A failure is met when the piece is asked for, which may be later than Node expects.
  piece.catch(() => {});
  return piece;
}
