// Whatever the bytes are: an image or a LayerError, in bounded time and memory, and the same for all chunk sizes.
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LayerError } from '../../../../image/layer/error.ts';
import { buildImage, listImage } from '../../../support/layer-image.ts';
import * as tar from '../../../support/tar-maker.ts';
import { readTar, refusalOf } from '../../../support/tar-reading.ts';

const SPARSE: [string, string][] = [
  ['GNU.sparse.major', '1'],
  ['GNU.sparse.minor', '0'],
  ['GNU.sparse.name', 'sparse'],
  ['GNU.sparse.realsize', '9000'],
];

const SEED = tar.archive(
  tar.directory('./'),
  tar.directory('d', {
    pax: [
      ['mtime', '1.5'],
      ['SCHILY.xattr.user.x', 'value'],
    ],
  }),
  tar.file('d/f', 'content'),
  tar.hardlink('h', 'd/f'),
  tar.symlink('s', 'd'),
  tar.file('s/through'),
  tar.entry('c', { typeflag: '3', devMajor: 1, devMinor: 3 }),
  tar.extended('L', `${'long'.repeat(50)}\0`, { magic: tar.GNU }),
  tar.file('long', 'x'.repeat(600)),
  tar.file('sparse', Buffer.concat([tar.padded('1\n4096\n3\n'), Buffer.from('abc')]), { pax: SPARSE }),
  tar.file('d/.wh.gone'),
  tar.file('d/.wh..wh..opq'),
);

interface Mutation {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly removed: number;
}

/** Where fields of headers begin: bytes that land there change what the archive says, not only whether it is one. */
const FIELDS = [0, 1, 100, 108, 116, 124, 136, 156, 157, 257, 329, 337, 345, 386, 482, 483];
const place = fc.oneof(
  fc.nat({ max: SEED.length }),
  fc
    .tuple(fc.nat({ max: SEED.length / 512 - 1 }), fc.constantFrom(...FIELDS))
    .map(([block, field]) => block * 512 + field),
);
const put = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc
    .constantFrom(
      '7'.repeat(11),
      '\xff'.repeat(12),
      '../',
      '/',
      '\0',
      '.wh.',
      '1',
      '2',
      '5',
      'S',
      'x',
      's/',
      'd\0',
    )
    .map((text) => Buffer.from(text, 'latin1')),
  fc.nat({ max: SEED.length / 512 - 1 }).map((block) => SEED.subarray(block * 512, block * 512 + 512)),
);

/** Mostly in place: what is inserted or removed moves all blocks behind it. */
const mutation: fc.Arbitrary<Mutation> = fc
  .record({
    at: place,
    bytes: put,
    resize: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.constantFrom(1, 512, -1)),
  })
  .map(({ at, bytes, resize }) => ({ at, bytes, removed: Math.max(0, bytes.length + resize) }));

function mutate(seed: Buffer, mutations: readonly Mutation[]): Buffer {
  let bytes = seed;
  for (const { at, bytes: put, removed } of mutations) {
    bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + removed)]);
  }
  return bytes;
}

/** Headers get past their checksum, so that the mutations in them are seen. */
function withChecksums(archive: Buffer): Buffer {
  const bytes = Buffer.from(archive);
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const block = bytes.subarray(at, at + 512);
    if (block.toString('latin1', 257, 262) !== 'ustar') continue;
    block.fill(' ', 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return bytes;
}

/** The shape of the image, or the refusal; any other error is thrown. */
async function outcome(blob: Buffer): Promise<string> {
  try {
    using built = await buildImage(blob);
    return Object.keys(listImage(built.image)).join();
  } catch (error) {
    if (error instanceof LayerError) return error.code;
    throw error;
  }
}

const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });

describe('buildLayer() on hostile bytes', () => {
  it('takes the archive that is then mutated', async () => {
    expect(await outcome(SEED)).not.toBe('MALFORMED');
    expect(await outcome(withChecksums(SEED))).toBe(await outcome(SEED));
  });

  it('ends in an image or a LayerError: mutated archives', async () => {
    const reached = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(mutations, fc.boolean(), async (all, isFixed) => {
        const archive = mutate(SEED, all);
        const result = await outcome(isFixed ? withChecksums(archive) : archive);
        const kind = /^[A-Z]+$/.test(result) ? result : 'image';
        reached.set(kind, (reached.get(kind) ?? 0) + 1);
      }),
      { numRuns: 400 },
    );
    // Mutations that never got anywhere would prove nothing.
    expect([...reached.keys()]).toEqual(expect.arrayContaining(['image', 'MALFORMED']));
  });

  it('ends in an image or a LayerError: mutated blobs', async () => {
    for (const blob of [gzipSync(SEED), zstdCompressSync(SEED)]) {
      await fc.assert(
        fc.asyncProperty(mutations, async (all) => {
          await outcome(
            mutate(
              blob,
              all.map((one) => ({ ...one, at: one.at % blob.length })),
            ),
          );
        }),
        { numRuns: 100 },
      );
    }
  });

  it('ends in an image or a LayerError: random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        await outcome(Buffer.from(bytes));
      }),
      { numRuns: 100 },
    );
  });

  it('does not depend on how the bytes are cut', () => {
    const read = (archive: Buffer, chunkBytes: number): string => {
      let entries = '';
      const refusal = refusalOf(() => {
        entries = JSON.stringify(readTar(archive, { chunkBytes, limits: { totalBytes: 1_000_000 } }));
      });
      return `${refusal} ${entries}`;
    };
    fc.assert(
      fc.property(mutations, fc.integer({ min: 1, max: 1500 }), (all, chunkBytes) => {
        const archive = withChecksums(mutate(SEED, all));
        expect(read(archive, chunkBytes)).toBe(read(archive, archive.length));
      }),
      { numRuns: 300 },
    );
  });

  it('holds no more memory than the limits say, whatever sizes headers claim', async () => {
    const claims = ['x', 'L', 'K', 'g', 'S'].map((typeflag) =>
      tar.header({ typeflag, size: '00003777777\0', magic: tar.GNU, patch: { 482: '\x01' } }),
    );
    const before = process.memoryUsage().arrayBuffers;
    for (let round = 0; round < 50; round++) {
      for (const claim of claims) expect(await outcome(claim)).toBe('MALFORMED');
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 1024 * 1024);
  });
});
