import { describe, expect, it } from 'vitest';
import * as tar from '../../../support/tar-maker.ts';
import { readTar, refusalOf } from '../../../support/tar-reading.ts';

const CONTENT = `${'\0'.repeat(512)}${'A'.repeat(512)}${'\0'.repeat(1024)}${'B'.repeat(100)}${'\0'.repeat(412)}`;
const STORED = `${'A'.repeat(512)}${'B'.repeat(100)}`;
const SEGMENTS: [offset: number, length: number][] = [
  [512, 512],
  [2048, 100],
  [2560, 0],
];

const octal = (value: number): string => `${value.toString(8).padStart(11, '0')}\0`;

function oldGnu(segments: readonly [number, number][], realSize: number, stored: string): Buffer {
  const numbers = segments.map(([offset, length]) => octal(offset) + octal(length));
  const extensions: Buffer[] = [];
  for (let at = 4; at < numbers.length; at += 21) {
    const block = Buffer.alloc(512);
    block.write(numbers.slice(at, at + 21).join(''), 'latin1');
    block[504] = at + 21 < numbers.length ? 1 : 0;
    extensions.push(block);
  }
  const patch = {
    386: numbers.slice(0, 4).join(''),
    482: numbers.length > 4 ? '\x01' : '\0',
    483: octal(realSize),
  };
  const head = tar.header({ name: 'sparse', typeflag: 'S', magic: tar.GNU, size: stored.length, patch });
  return Buffer.concat([head, ...extensions, tar.padded(stored)]);
}

type Records = [key: string, value: string][];

const pax00 = (segments: readonly [number, number][], realSize: number): Records => [
  ['GNU.sparse.size', String(realSize)],
  ['GNU.sparse.numblocks', String(segments.length)],
  ...segments.flatMap(
    ([offset, length]): Records => [
      ['GNU.sparse.offset', String(offset)],
      ['GNU.sparse.numbytes', String(length)],
    ],
  ),
];

const pax01 = (segments: readonly [number, number][], realSize: number): Records => [
  ['GNU.sparse.size', String(realSize)],
  ['GNU.sparse.numblocks', String(segments.length)],
  ['GNU.sparse.name', 'sparse'],
  ['GNU.sparse.map', segments.flat().join(',')],
];

const pax10 = (realSize: number): Records => [
  ['GNU.sparse.major', '1'],
  ['GNU.sparse.minor', '0'],
  ['GNU.sparse.name', 'sparse'],
  ['GNU.sparse.realsize', String(realSize)],
];

const map10 = (segments: readonly (readonly [number, number])[]): Buffer =>
  tar.padded([segments.length, ...segments.flat(), ''].join('\n'));

const file10 = (map: Buffer, realSize: number, stored: string): Buffer =>
  tar.file('GNUSparseFile.0/sparse', Buffer.concat([map, Buffer.from(stored)]), { pax: pax10(realSize) });

describe('sparse files', () => {
  // biome-ignore format: a table
  const FORMATS: [format: string, entry: Buffer][] = [
    ['old GNU', oldGnu(SEGMENTS, CONTENT.length, STORED)],
    ['PAX 0.0', tar.file('sparse', STORED, { pax: pax00(SEGMENTS, CONTENT.length) })],
    ['PAX 0.1', tar.file('GNUSparseFile.0/sparse', STORED, { pax: pax01(SEGMENTS, CONTENT.length) })],
    ['PAX 1.0', file10(map10(SEGMENTS), CONTENT.length, STORED)],
  ];

  for (const [format, entry] of FORMATS) {
    it(`of ${format} come out with their holes, and the next entry after them`, () => {
      for (const chunkBytes of [65536, 1, 300]) {
        const [sparse, next] = readTar(tar.archive(entry, tar.file('next', 'n')), { chunkBytes });
        expect(sparse).toMatchObject({
          name: 'sparse',
          type: 'file',
          size: CONTENT.length,
          storedBytes: STORED.length,
        });
        expect(sparse?.data === CONTENT).toBe(true);
        expect(next).toMatchObject({ name: 'next', data: 'n' });
      }
    });
  }

  it('may be nothing but a hole', () => {
    const entries = [oldGnu([[4096, 0]], 4096, ''), file10(map10([]), 4096, '')];
    for (const entry of entries) {
      const [sparse] = readTar(tar.archive(entry));
      expect(sparse?.data === '\0'.repeat(4096)).toBe(true);
    }
  });

  it('may have more segments than fit in one block', () => {
    const segments = Array.from({ length: 100 }, (_, n): [number, number] => [n * 1024, 1]);
    const stored = 'x'.repeat(100);
    const content = `x${'\0'.repeat(1023)}`.repeat(100);
    for (const entry of [
      oldGnu(segments, content.length, stored),
      file10(map10(segments), content.length, stored),
    ]) {
      const [sparse, next] = readTar(tar.archive(entry, tar.file('next')), { chunkBytes: 700 });
      expect(sparse?.data === content).toBe(true);
      expect(next?.name).toBe('next');
    }
  });

  const OVERLAP = 'MALFORMED: cannot read sparse file: its map overlaps or leaves the file';
  const UNCOVERED = 'MALFORMED: cannot read sparse file: its map does not cover what is stored';
  const BAD_MAP = 'MALFORMED: cannot read sparse file: bad map';
  const pax01Of = (map: string): Buffer =>
    tar.file('f', 'AB', { pax: [...pax01([], 1024).slice(0, 3), ['GNU.sparse.map', map]] });

  // biome-ignore format: a table
  const REFUSED: [what: string, entry: Buffer, error: string][] = [
    ['overlap',                   oldGnu([[0, 2], [1, 2]], 10, 'AABB'),       OVERLAP],
    ['run backwards',             oldGnu([[5, 2], [0, 2]], 10, 'AABB'),       OVERLAP],
    ['leave the file',            oldGnu([[9, 2]], 10, 'AA'),                 OVERLAP],
    ['overflow',                  pax01Of('9007199254740991,9007199254740991'), OVERLAP],
    ['cover less than is stored', oldGnu([[0, 1]], 10, 'AA'),                 UNCOVERED],
    ['cover more than is stored', oldGnu([[0, 3]], 10, 'AA'),                 UNCOVERED],
    ['have half a pair',          pax01Of('0,1,1'),                           BAD_MAP],
    ['have no numbers',           pax01Of('a,b'),                             BAD_MAP],
    ['have negative numbers',     pax01Of('-1,2'),                            BAD_MAP],
    ['promise 10^15 segments',    file10(tar.padded('999999999999999\n'), 10, ''), 'MALFORMED: cannot read "sparse": its sparse map is longer than the file'],
    ['count in words',            file10(tar.padded('two\n0\n1\n'), 10, ''),  BAD_MAP],
    ['stand for a file of negative size', oldGnuNegative(),                   BAD_MAP],
  ];

  function oldGnuNegative(): Buffer {
    const patch = { 483: tar.base256(-1n, 12) };
    return tar.header({ name: 'sparse', typeflag: 'S', magic: tar.GNU, patch });
  }

  for (const [what, entry, error] of REFUSED) {
    it(`are refused when their maps ${what}`, () => {
      expect(refusalOf(() => readTar(tar.archive(entry)))).toBe(error);
    });
  }

  it('are refused in a format that nobody defined', () => {
    const entry = tar.file('f', '', {
      pax: [
        ['GNU.sparse.major', '2'],
        ['GNU.sparse.realsize', '1'],
      ],
    });
    expect(refusalOf(() => readTar(tar.archive(entry)))).toBe('UNSUPPORTED: unknown sparse format 2.0');
  });

  it('are refused as directories', () => {
    const entry = tar.directory('d', { pax: pax01([], 0) });
    expect(refusalOf(() => readTar(tar.archive(entry)))).toBe(
      'MALFORMED: cannot read "sparse": a sparse directory',
    );
  });

  it('are refused with a map longer than an extended header may be (CVE-2025-58183)', () => {
    const segments = Array.from({ length: 300 }, (_, n) => [n, 1] as const);
    const limits = { extendedHeaderBytes: 1024 };
    const tooLong = 'LIMIT: cannot read sparse file: its map is too long';
    expect(refusalOf(() => readTar(file10(map10(segments), 300, ''), { limits }))).toBe(tooLong);
    expect(refusalOf(() => readTar(oldGnu([...segments] as [number, number][], 300, ''), { limits }))).toBe(
      tooLong,
    );
    expect(
      refusalOf(() => readTar(file10(map10(segments.slice(0, 100)), 300, 'x'.repeat(100)), { limits })),
    ).toBe('taken');
  });

  it('count with their holes against the bytes of a layer', () => {
    const entry = file10(map10([]), 2 ** 50, '');
    expect(refusalOf(() => readTar(tar.archive(entry)))).toBe(
      `LIMIT: cannot take a layer with more than ${128 * 1024 ** 3} bytes of content`,
    );
  });
});
