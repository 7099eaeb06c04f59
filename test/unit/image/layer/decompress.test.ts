import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decompress, detectCompression } from '../../../../image/layer/decompress.ts';
import { LayerError } from '../../../../image/layer/error.ts';
import { inChunks } from '../../../support/layer-image.ts';

const TEXT = Buffer.from(Array.from({ length: 100_000 }, (_, n) => `line ${n}\n`).join(''));
const cat = (...parts: Uint8Array[]): Buffer => Buffer.concat(parts);
const zeros = Buffer.alloc(5000);

/** The uncompressed text, or the error. */
async function inflate(blob: Buffer, chunkBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of decompress(inChunks(blob, chunkBytes), detectCompression(blob)))
      parts.push(part);
  } catch (error) {
    if (error instanceof LayerError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return Buffer.concat(parts).equals(TEXT) ? 'the text' : 'something else';
}

const gzip = gzipSync(TEXT);
const withName = cat(
  gzip.subarray(0, 3),
  Buffer.from([8]),
  gzip.subarray(4, 10),
  Buffer.from('name\0'),
  gzip.subarray(10),
);
const members = cat(...[0, 1000, 50_000].map((at, n, all) => gzipSync(TEXT.subarray(at, all[n + 1]))));

const zstd = zstdCompressSync(TEXT, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
const skippable = cat(Buffer.from('5f2a4d1805000000', 'hex'), Buffer.from('12345'));
const frames = cat(
  skippable,
  ...[0, 1000, 50_000].map((at, n, all) => cat(zstdCompressSync(TEXT.subarray(at, all[n + 1])), skippable)),
);
/** A frame of one raw block, with a window of 2^log bytes. */
const windowed = (log: number): Buffer =>
  cat(
    Buffer.from('28b52ffd00', 'hex'),
    Buffer.from([(log - 10) << 3]),
    Buffer.from('090000', 'hex'),
    Buffer.from('x'),
  );

const GARBAGE_AFTER_ZSTD =
  'MALFORMED: cannot decompress layer: not a zstd stream: something else follows a frame';

// biome-ignore format: a table
const BLOBS: [what: string, blob: Buffer, expected: string][] = [
  ['gzip',                                  gzip,                                  'the text'],
  ['gzip with a name in its header',        withName,                              'the text'],
  ['gzip of several members',               members,                               'the text'],
  ['gzip padded with zeros',                cat(gzip, zeros),                      'the text'],
  ['gzip with garbage behind',              cat(gzip, Buffer.from('garbage')),     'MALFORMED: cannot decompress layer: incorrect header check'],
  ['gzip with garbage behind zeros',        cat(gzip, zeros, Buffer.from('x')),    'MALFORMED: cannot decompress layer: something else follows the gzip stream'],
  ['gzip with a member behind zeros',       cat(gzip, zeros, gzip),                'MALFORMED: cannot decompress layer: something else follows the gzip stream'],
  ['gzip with half a member behind',        cat(gzip, gzip.subarray(0, 100)),      'MALFORMED: cannot decompress layer: unexpected end of file'],
  ['gzip with a wrong checksum',            cat(gzip.subarray(0, -8), Buffer.alloc(4), gzip.subarray(-4)), 'MALFORMED: cannot decompress layer: incorrect data check'],
  ['gzip with a wrong length',              cat(gzip.subarray(0, -4), Buffer.alloc(4)), 'MALFORMED: cannot decompress layer: incorrect length check'],
  ['zstd',                                  zstd,                                  'the text'],
  ['zstd of several frames and skippable ones', frames,                            'the text'],
  ['zstd with garbage behind',              cat(zstd, Buffer.from('garbage')),     GARBAGE_AFTER_ZSTD],
  ['zstd with zeros behind',                cat(zstd, zeros),                      GARBAGE_AFTER_ZSTD],
  ['zstd with gzip behind',                 cat(zstd, gzip),                       GARBAGE_AFTER_ZSTD],
  ['zstd with half a skippable frame behind', cat(zstd, skippable.subarray(0, -1)), 'MALFORMED: cannot decompress layer: not a zstd stream: it is cut off'],
  ['zstd with a reserved bit',              cat(zstd.subarray(0, 4), Buffer.from([(zstd[4] ?? 0) | 8]), zstd.subarray(5)), 'MALFORMED: cannot decompress layer: not a zstd stream: a frame header has a reserved bit set'],
  ['zstd with a window of 128 MiB',         windowed(27),                          'something else'],
  ['zstd with a window of 256 MiB',         windowed(28),                          'LIMIT: cannot decompress layer: zstd window larger than 2^27 bytes'],
  ['zstd with a window of 2 TiB',           windowed(41),                          'LIMIT: cannot decompress layer: zstd window larger than 2^27 bytes'],
  ['zstd with a dictionary',                Buffer.from('28b52ffd010011223344', 'hex'), 'UNSUPPORTED: cannot decompress layer: zstd with a dictionary'],
];

describe('decompress()', () => {
  for (const [what, blob, expected] of BLOBS) {
    it(`takes or refuses ${what}, whatever the chunks are`, async () => {
      for (const chunkBytes of [1_000_000, 4096, 97]) expect(await inflate(blob, chunkBytes)).toBe(expected);
    });
  }

  it('takes or refuses byte by byte', async () => {
    for (const [, blob, expected] of BLOBS.filter(([, { length }]) => length < 1000)) {
      expect(await inflate(blob, 1)).toBe(expected);
    }
  });

  it('lets go of its source when nobody wants more', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Buffer> {
      try {
        yield* inChunks(gzip, 100);
      } finally {
        closed = true;
      }
    }
    for await (const _ of decompress(source(), 'gzip')) break;
    await expect.poll(() => closed).toBe(true);
  });
});
