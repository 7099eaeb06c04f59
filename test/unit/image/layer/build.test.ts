import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { BlobSource } from '../../../../image/layer/blob-stream.ts';
import { type BuildOptions, buildLayer } from '../../../../image/layer/build.ts';
import type { LayerEntry } from '../../../../image/layer/entry.ts';
import { LayerError } from '../../../../image/layer/error.ts';
import { DEFAULT_LIMITS } from '../../../../image/layer/limits.ts';
import type { LayerSink } from '../../../../image/layer/sink.ts';
import { inChunks } from '../../../support/layer-image.ts';
import * as tar from '../../../support/tar-maker.ts';

const ARCHIVE = tar.archive(
  tar.directory('d'),
  tar.file('d/a', 'content of a'),
  tar.file('d/.wh.gone', 'not to be seen'),
  tar.file('large', 'x'.repeat(500_000)),
);

const digestOf = (bytes: Uint8Array, algorithm = 'sha256'): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;

interface Recorded {
  readonly entries: LayerEntry[];
  readonly contents: string[];
  tarBytes: number;
}

/** Writes down what it is given; its result is how often it was ended. */
function recorder(): { sink: LayerSink<number>; recorded: Recorded } {
  const recorded: Recorded = { entries: [], contents: [], tarBytes: 0 };
  let ends = 0;
  const sink: LayerSink<number> = {
    entry: (entry) => {
      recorded.entries.push(entry);
      recorded.contents.push('');
    },
    content: (chunk) => {
      recorded.contents[recorded.contents.length - 1] += Buffer.from(chunk).toString('latin1');
    },
    tar: (chunk) => {
      recorded.tarBytes += chunk.length;
    },
    end: () => ++ends,
  };
  return { sink, recorded };
}

async function build(blob: BlobSource, options: Partial<BuildOptions<number>> = {}) {
  const { sink, recorded } = recorder();
  return { result: await buildLayer(blob, { sink, ...options }), recorded };
}

async function refusal(blob: BlobSource, options: Partial<BuildOptions<number>> = {}): Promise<string> {
  const { sink } = recorder();
  let ended = false;
  const watched = {
    ...sink,
    end: () => {
      ended = true;
      return 1;
    },
  };
  try {
    await buildLayer(blob, { sink: watched, ...options });
  } catch (error) {
    if (!(error instanceof LayerError)) throw error;
    expect(ended).toBe(false);
    return `${error.code}: ${error.message}`;
  }
  return 'taken';
}

describe('buildLayer()', () => {
  const COMPRESSED = { none: ARCHIVE, gzip: gzipSync(ARCHIVE), zstd: zstdCompressSync(ARCHIVE) };
  for (const [compression, blob] of Object.entries(COMPRESSED)) {
    it(`reads a layer with compression ${compression}`, async () => {
      const { result, recorded } = await build(inChunks(blob, 1000), {
        blobSize: blob.length,
        blobDigest: digestOf(blob),
        diffId: digestOf(ARCHIVE),
      });
      const diffId = digestOf(ARCHIVE);
      const tarSize = ARCHIVE.length;
      expect(result).toEqual({ compression, blobSize: blob.length, diffId, tarSize, output: 1 });
      expect(recorded.entries.map(({ kind, path }) => `${kind} ${path.parent} ${path.name}`)).toEqual([
        'directory  d',
        'file d a',
        'whiteout d gone',
        'file  large',
      ]);
      expect(recorded.contents.map((content) => content.length)).toEqual([0, 12, 0, 500_000]);
      expect(recorded.tarBytes).toBe(ARCHIVE.length);
    });
  }

  it('reads files, by path and by number', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'hull-blob-'));
    const file = path.join(folder, 'blob');
    writeFileSync(file, COMPRESSED.gzip);
    const fd = openSync(file, 'r');
    try {
      for (const source of [file, fd, fd]) {
        const { result } = await build(source, { blobDigest: digestOf(COMPRESSED.gzip) });
        expect(result.diffId).toBe(digestOf(ARCHIVE));
      }
    } finally {
      closeSync(fd); // It is still open.
      rmSync(folder, { recursive: true });
    }
  });

  it('computes the diffID if none is expected, and hashes as the expected one says', async () => {
    expect((await build(inChunks(ARCHIVE, 9999))).result.diffId).toBe(digestOf(ARCHIVE));
    const diffId = digestOf(ARCHIVE, 'sha512');
    expect((await build(inChunks(ARCHIVE, 9999), { diffId })).result.diffId).toBe(diffId);
  });

  it('reports progress', async () => {
    const seen: number[] = [];
    await build(inChunks(COMPRESSED.gzip, 100), { onProgress: ({ tarBytes }) => seen.push(tarBytes) });
    expect(seen.at(-1)).toBe(ARCHIVE.length);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const stopped = build(inChunks(ARCHIVE, 1000), {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    });
    await expect(stopped).rejects.toThrow('enough');
  });

  it('lets errors of the source and of the sink through', async () => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield COMPRESSED.gzip.subarray(0, 100);
      throw new Error('connection reset');
    }
    await expect(build(failing())).rejects.toThrow('connection reset');
    const full: LayerSink<number> = {
      entry: () => {
        throw new Error('no space left');
      },
      end: () => 1,
    };
    for (const blob of Object.values(COMPRESSED)) {
      await expect(buildLayer(inChunks(blob, 1000), { sink: full })).rejects.toThrow('no space left');
    }
  });

  describe('refuses', () => {
    const { gzip, zstd } = COMPRESSED;
    const blobSize = gzip.length;

    it('a blob that is longer or shorter than promised', async () => {
      expect(await refusal(inChunks(gzip, 999), { blobSize: blobSize - 1 })).toBe(
        `MISMATCH: layer has more than the ${blobSize - 1} bytes that it should have`,
      );
      expect(await refusal(inChunks(gzip, 999), { blobSize: blobSize + 1 })).toBe(
        `MISMATCH: layer has ${blobSize} bytes, not ${blobSize + 1}`,
      );
      expect(await refusal(inChunks(gzip, 999), { blobSize })).toBe('taken');
    });

    it('a blob with a byte more behind what was read of it', async () => {
      const padded = Buffer.concat([gzip, Buffer.alloc(5)]);
      expect(await refusal(inChunks(padded, 999))).toBe('taken');
      expect(await refusal(inChunks(padded, 999), { blobSize })).toMatch(/^MISMATCH/);
      expect(await refusal(inChunks(padded, 999), { blobDigest: digestOf(gzip) })).toMatch(/^MISMATCH/);
    });

    it('another blob, another archive, and digests that are none', async () => {
      const other = digestOf(Buffer.from('other'));
      expect(await refusal(inChunks(gzip, 999), { blobDigest: other })).toBe(
        `MISMATCH: layer has digest ${digestOf(gzip)}, not ${other}`,
      );
      expect(await refusal(inChunks(gzip, 999), { diffId: other })).toBe(
        `MISMATCH: uncompressed layer has digest ${digestOf(ARCHIVE)}, not ${other}`,
      );
      for (const digest of [
        'sha256:../../x',
        'md5:d41d8cd98f00b204e9800998ecf8427e',
        digestOf(gzip).toUpperCase(),
      ]) {
        expect(await refusal(inChunks(gzip, 999), { diffId: digest })).toBe(
          `UNSUPPORTED: cannot verify digest ${JSON.stringify(digest)}`,
        );
      }
    });

    it('a bomb, while it expands', async () => {
      const zeros = gzipSync(tar.archive(tar.file('zeros', Buffer.alloc(20_000_000))));
      const limits = { ...DEFAULT_LIMITS, expansionFreeBytes: 1_000_000, expansionRatio: 100 };
      let expanded = 0;
      const onProgress = ({ tarBytes }: { tarBytes: number }) => {
        expanded = tarBytes;
      };
      const bomb = inChunks(zeros, 100_000);
      expect(await refusal(bomb, { limits, onProgress, blobSize: zeros.length })).toBe(
        `LIMIT: cannot take a layer that expands to more than 100 times its ${zeros.length} compressed bytes`,
      );
      expect(expanded).toBeLessThan(100 * zeros.length + 200_000);
      expect(await refusal(inChunks(zeros, 100_000), { limits: DEFAULT_LIMITS })).toBe('taken');
      expect(
        await refusal(inChunks(zeros, 100_000), { limits: { ...DEFAULT_LIMITS, totalBytes: 19_000_000 } }),
      ).toBe('LIMIT: cannot take a layer with more than 19000000 bytes of content');
      // The same bytes behind the end of the archive, where no header speaks of them.
      const behind = gzipSync(Buffer.concat([tar.archive(), Buffer.alloc(20_000_000)]));
      expect(
        await refusal(inChunks(behind, 100_000), { limits: { ...DEFAULT_LIMITS, totalBytes: 19_000_000 } }),
      ).toBe('LIMIT: cannot take a layer of more than 19000000 bytes');
    });

    it('more names than memory is to be spent on', async () => {
      const links = Array.from({ length: 50 }, (_, n) =>
        tar.symlink(`s${n}`, '', { pax: [['linkpath', 't'.repeat(4000)]] }),
      );
      const limits = { ...DEFAULT_LIMITS, metadataBytes: 100_000 };
      expect(await refusal(inChunks(tar.archive(...links), 999), { limits })).toBe(
        'LIMIT: cannot take a layer with more than 100000 bytes of names, links, extended attributes and sparse maps',
      );
      expect(await refusal(inChunks(tar.archive(...links.slice(0, 20)), 999), { limits })).toBe('taken');
      const map = Array.from({ length: 2000 }, (_, n) => `${n},0`).join();
      const sparse = tar.file('s', '', {
        pax: [
          ['GNU.sparse.size', '9999'],
          ['GNU.sparse.map', map],
        ],
      });
      expect(await refusal(inChunks(tar.archive(sparse), 999), { limits })).toMatch(
        /^LIMIT: .* sparse maps$/,
      );
      expect(await refusal(inChunks(tar.archive(sparse), 999))).toBe('taken');
    });

    it('what image-spec does not pack layers with', async () => {
      const magics = { xz: 'fd377a585a000004', bzip2: '425a683931415926535900', lz4: '04224d1864404000' };
      for (const [name, magic] of Object.entries(magics)) {
        expect(await refusal(inChunks(Buffer.from(magic, 'hex'), 3))).toBe(
          `UNSUPPORTED: cannot decompress layer: it is ${name}, not gzip or zstd`,
        );
      }
    });

    it('a blob that is cut off anywhere', async () => {
      for (const blob of [gzip, zstd]) {
        for (const length of [11, 100, blob.length - 9, blob.length - 1]) {
          expect(await refusal(inChunks(blob.subarray(0, length), 999))).toMatch(
            /^MALFORMED: cannot decompress layer/,
          );
        }
      }
    });
  });
});
