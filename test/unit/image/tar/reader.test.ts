import { describe, expect, it } from 'vitest';
import * as tar from '../../../support/tar-maker.ts';
import { type ReadEntry, readTar, refusalOf } from '../../../support/tar-reading.ts';

const names = (archive: Buffer): string[] => readTar(archive).map(({ name }) => name);
const only = (archive: Buffer): ReadEntry => {
  const [entry, ...rest] = readTar(archive);
  if (entry === undefined || rest.length > 0) throw new Error(`${rest.length + 1} entries`);
  return entry;
};

describe('TarReader', () => {
  const mixed = tar.archive(
    tar.directory('a/'),
    tar.file('a/empty'),
    tar.file('a/small', 'hello'),
    tar.file('a/block', 'x'.repeat(512)),
    tar.file('a/more', 'y'.repeat(1500), { pax: [['mtime', '1.5']] }),
    tar.symlink('a/link', '../b'),
    tar.hardlink('a/hard', 'a/small'),
    tar.entry('a/null', { typeflag: '3', devMajor: 1, devMinor: 3 }),
    tar.entry('a/disk', { typeflag: '4', devMajor: 8, devMinor: 0 }),
    tar.entry('a/fifo', { typeflag: '6' }),
  );

  it('reads every kind of entry', () => {
    const read = readTar(mixed);
    expect(read.map(({ type }) => type)).toEqual([
      'directory',
      'file',
      'file',
      'file',
      'file',
      'symlink',
      'hardlink',
      'character',
      'block',
      'fifo',
    ]);
    expect(read.map(({ data }) => data.length)).toEqual([0, 0, 5, 512, 1500, 0, 0, 0, 0, 0]);
    expect(read[5]).toMatchObject({ name: 'a/link', linkName: '../b', mode: 0o777 });
    expect(read[6]).toMatchObject({ name: 'a/hard', linkName: 'a/small' });
    expect(read[7]).toMatchObject({ devMajor: 1, devMinor: 3 });
  });

  it('reads the same whatever the chunks are', () => {
    const whole = readTar(mixed);
    for (const chunkBytes of [1, 7, 511, 512, 513, 1024])
      expect(readTar(mixed, { chunkBytes })).toEqual(whole);
  });

  it('says where the stored content is', () => {
    for (const { data, storedOffset, storedBytes } of readTar(mixed, { chunkBytes: 100 })) {
      expect(mixed.toString('latin1', storedOffset, storedOffset + storedBytes)).toBe(data);
      expect(storedOffset % 512).toBe(0);
    }
  });

  it('passes over content that nobody asked for', () => {
    const withoutContent = readTar(mixed, { withContent: false });
    expect(withoutContent.map(({ name }) => name)).toEqual(names(mixed));
    expect(withoutContent.every(({ data }) => data === '')).toBe(true);
  });

  describe('extended headers', () => {
    it('override the header', () => {
      const pax: [string, string][] = [
        ['path', 'long/name'],
        ['uid', '3000000'],
        ['gid', '4294967294'],
        ['mtime', '-1.5'],
      ];
      expect(only(tar.archive(tar.file('short', 'x', { pax })))).toMatchObject({
        name: 'long/name',
        uid: 3_000_000,
        gid: 4_294_967_294,
        mtime: { seconds: -2, nanoseconds: 500_000_000 },
        data: 'x',
      });
    });

    it('apply to one entry only', () => {
      const archive = tar.archive(tar.file('a', '', { pax: [['path', 'b']] }), tar.file('c'));
      expect(names(archive)).toEqual(['b', 'c']);
    });

    it('let the last of a key win, and an empty value take it back', () => {
      const pax = (...values: string[]) => values.map((value) => ['path', value] as const);
      expect(names(tar.archive(tar.file('header', '', { pax: pax('one', 'two') })))).toEqual(['two']);
      expect(names(tar.archive(tar.file('header', '', { pax: pax('one', '') })))).toEqual(['header']);
    });

    it('let GNU names win over PAX, as Go does', () => {
      const archive = tar.archive(
        tar.extended('L', `${'g'.repeat(300)}\0`, { magic: tar.GNU }),
        tar.extended('K', 'target\0ignored', { magic: tar.GNU }),
        tar.symlink('short', 'x', { pax: [['path', 'from-pax']] }),
      );
      expect(only(archive)).toMatchObject({ name: 'g'.repeat(300), linkName: 'target' });
    });

    it('bring extended attributes with every byte', () => {
      const value = Buffer.from([0, 0xff, 0x3d, 0x0a, 0x80]);
      const pax: [string, string | Buffer][] = [
        ['SCHILY.xattr.security.capability', value],
        ['SCHILY.xattr.user.twice', 'first'],
        ['SCHILY.xattr.user.twice', 'second'],
        ['LIBARCHIVE.xattr.user.a%20b%FF', value.toString('base64').replace(/=+$/, '')],
      ];
      expect(only(tar.archive(tar.file('f', '', { pax }))).xattrs).toEqual([
        { name: 'security.capability', value },
        { name: 'user.twice', value: Buffer.from('second') },
        { name: 'user.a b\xff', value },
      ]);
    });

    it('are refused when the archive ends after them', () => {
      const alone = tar.pax([['path', 'x']]);
      expect(refusalOf(() => readTar(tar.archive(alone)))).toBe(
        'MALFORMED: cannot read layer: an extended header describes no entry',
      );
      expect(refusalOf(() => readTar(alone))).toBe('MALFORMED: cannot read layer: the archive is cut off');
    });

    it('are refused when they are global and would change which entries there are', () => {
      const withGlobal = (key: string, value: string) =>
        tar.archive(tar.pax([[key, value]], 'g'), tar.file('f', 'x'));
      for (const key of ['path', 'linkpath', 'size', 'GNU.sparse.map']) {
        expect(refusalOf(() => readTar(withGlobal(key, '1')))).toBe(
          `UNSUPPORTED: cannot take a global pax header that sets ${key} for all entries`,
        );
      }
      // git archive writes the first; no engine obeys the second.
      expect(only(withGlobal('comment', 'commit'))).toMatchObject({ name: 'f', data: 'x' });
      expect(only(withGlobal('uid', '7'))).toMatchObject({ uid: 0 });
    });
  });

  describe('size', () => {
    it('is that of the extended header, so that no content is read as entries (CVE-2025-62518)', () => {
      const smuggled = tar.file('smuggled', 'evil');
      const archive = tar.archive(
        tar.file('outer', smuggled, { size: 0, pax: [['size', String(smuggled.length)]] }),
        tar.file('last'),
      );
      expect(names(archive)).toEqual(['outer', 'last']);
      expect(readTar(archive)[0]?.data).toBe(smuggled.toString('latin1'));
    });

    it('can be smaller than the header says', () => {
      const archive = tar.archive(
        tar.pax([['size', '1']]),
        tar.header({ name: 'outer', size: 4096 }),
        tar.padded('x'),
        tar.file('last'),
      );
      expect(names(archive)).toEqual(['outer', 'last']);
    });

    it('does not change how long a GNU name before the entry is', () => {
      const archive = tar.archive(
        tar.pax([['size', '3']]),
        tar.extended('L', 'long-name\0'),
        tar.header({ name: 'x', size: 0 }),
        tar.padded('abc'),
      );
      expect(only(archive)).toMatchObject({ name: 'long-name', data: 'abc' });
    });

    it('means nothing for what is not a file, as in Go and GNU tar', () => {
      const archive = tar.archive(
        tar.directory('d/', { size: 4096 }),
        tar.symlink('s', 't', { size: 4096 }),
        tar.hardlink('h', 'f', { pax: [['size', '4096']] }),
        tar.entry('c', { typeflag: '3', size: 4096, devMajor: 1 }),
        tar.entry('v7/', { typeflag: '\0', magic: tar.V7, size: 4096 }),
        tar.file('f', 'content'),
      );
      expect(readTar(archive).map(({ name, type, size }) => [name, type, size])).toEqual([
        ['d/', 'directory', 0],
        ['s', 'symlink', 0],
        ['h', 'hardlink', 0],
        ['c', 'character', 0],
        ['v7/', 'directory', 0],
        ['f', 'file', 7],
      ]);
    });

    it('is refused when negative', () => {
      const archive = tar.archive(tar.header({ size: tar.base256(-512n, 12) }));
      expect(refusalOf(() => readTar(archive))).toBe('MALFORMED: cannot read "file": its size is negative');
      const longName = tar.archive(tar.header({ typeflag: 'L', size: tar.base256(-512n, 12) }));
      expect(refusalOf(() => readTar(longName))).toBe(
        'MALFORMED: cannot read tar header: its size is negative',
      );
    });

    it('may be beyond 8 GiB', () => {
      const size = 20 * 1024 ** 3;
      for (const block of [
        tar.header({ size: tar.base256(BigInt(size), 12) }),
        Buffer.concat([tar.pax([['size', String(size)]]), tar.header()]),
      ]) {
        expect(refusalOf(() => readTar(block))).toBe('MALFORMED: cannot read layer: the archive is cut off');
        expect(refusalOf(() => readTar(block, { limits: { totalBytes: size - 1 } }))).toBe(
          `LIMIT: cannot take a layer with more than ${size - 1} bytes of content`,
        );
      }
    });
  });

  describe('the end', () => {
    const one = tar.file('one', 'content');

    it('is two blocks of zeros; what follows is not listed', () => {
      expect(names(Buffer.concat([tar.archive(one), tar.file('hidden'), Buffer.from('garbage')]))).toEqual([
        'one',
      ]);
    });

    it('may come without them, the last file whole', () => {
      expect(only(one).data).toBe('content');
      expect(only(Buffer.concat([one, Buffer.alloc(512)])).data).toBe('content');
      expect(names(Buffer.alloc(0))).toEqual([]);
    });

    it('is not one block of zeros with an entry behind it', () => {
      const archive = Buffer.concat([one, Buffer.alloc(512), tar.archive(tar.file('two'))]);
      expect(refusalOf(() => readTar(archive))).toBe(
        'MALFORMED: cannot read layer: a header after a block of zeros',
      );
    });

    it('is an error anywhere else', () => {
      const archive = Buffer.concat([
        tar.file('f', 'content', { pax: [['mtime', '1']] }),
        tar.file('g', 'x'.repeat(600)),
      ]);
      const boundaries = new Set([0, 2048, archive.length]);
      for (let length = 0; length <= archive.length; length++) {
        const cut = refusalOf(() => readTar(archive.subarray(0, length)));
        const expected = boundaries.has(length)
          ? 'taken'
          : 'MALFORMED: cannot read layer: the archive is cut off';
        expect(cut, `cut at ${length}`).toBe(expected);
      }
    });
  });

  describe('refuses', () => {
    // biome-ignore format: a table
    const REFUSED: [what: string, archive: Buffer, error: RegExp][] = [
      ['an entry without a name',         tar.archive(tar.header({ name: '' })),                        /^MALFORMED: .* no name$/],
      ['a NUL in a pax path',             tar.archive(tar.file('f', '', { pax: [['path', 'a\0b']] })),  /^MALFORMED: .* NUL in it$/],
      ['a NUL in a pax link path',        tar.archive(tar.symlink('f', 't', { pax: [['linkpath', '\0']] })), /^MALFORMED: .* NUL in it$/],
      ['a GNU long name without a body',  tar.archive(tar.extended('L', ''), tar.file('f')),            /^MALFORMED: .* long name is empty$/],
      ['a uid that is -1',                tar.archive(tar.file('f', '', { pax: [['uid', '4294967295']] })), /^MALFORMED: .* uid 4294967295 is not possible$/],
      ['a negative gid',                  tar.archive(tar.header({ gid: '' as string, patch: { 116: tar.base256(-1n, 8) } })), /^MALFORMED: .* gid -1 is not possible$/],
      ['an unknown type',                 tar.archive(tar.header({ typeflag: 'Z' })),                   /^UNSUPPORTED: .* unknown tar type "Z"$/],
      ['xattr names that are not URLs',   tar.archive(tar.file('f', '', { pax: [['LIBARCHIVE.xattr.a%2', '']] })), /^MALFORMED: .* attribute name "a%2"$/],
      ['xattr values that are not base64', tar.archive(tar.file('f', '', { pax: [['LIBARCHIVE.xattr.a', '!']] })), /^MALFORMED: .* not base64$/],
      ['an xattr without a name',         tar.archive(tar.file('f', '', { pax: [['SCHILY.xattr.', 'x']] })), /^MALFORMED: .* attribute name ""$/],
    ];

    for (const [what, archive, error] of REFUSED) {
      it(what, () => {
        expect(refusalOf(() => readTar(archive))).toMatch(error);
      });
    }
  });
});

describe('limits of TarReader', () => {
  const xattrs = (count: number, bytes: number) =>
    tar.archive(
      tar.file('f', '', {
        pax: Array.from({ length: count }, (_, n) => [`SCHILY.xattr.user.${n}`, 'v'.repeat(bytes)] as const),
      }),
    );
  const longName = (bytes: number) => tar.archive(tar.file('f', '', { pax: [['path', 'n'.repeat(bytes)]] }));
  const header = (bytes: number) =>
    tar.archive(tar.file('f', '', { pax: [['comment', 'c'.repeat(bytes - '1048576 comment=\n'.length)]] }));

  // biome-ignore format: a table
  const LIMITS: [what: string, fits: Buffer, exceeds: Buffer, error: string][] = [
    ['names',            longName(4096),   longName(4097),    `LIMIT: cannot take "${'n'.repeat(256)}…": longer than 4096 bytes`],
    ['extended headers', header(1024 ** 2), header(1024 ** 2 + 1), 'LIMIT: cannot take an extended header of 1048577 bytes, more than 1048576'],
    ['one value',        xattrs(1, 65535), xattrs(1, 65536),  'LIMIT: extended attribute "user.0" is longer than 65535 bytes'],
    ['attributes',       xattrs(256, 1),   xattrs(257, 1),    'LIMIT: cannot take an entry with more than 256 extended attributes'],
    ['bytes of attributes', xattrs(2, 65535), xattrs(3, 65535), 'LIMIT: cannot take an entry with more than 196608 bytes of extended attributes'],
  ];

  for (const [what, fits, exceeds, error] of LIMITS) {
    it(`bound ${what}`, () => {
      expect(refusalOf(() => readTar(fits))).toBe('taken');
      expect(refusalOf(() => readTar(exceeds))).toBe(error);
    });
  }

  it('bound an extended header by what it says, before any of it comes', () => {
    const announced = tar.header({ typeflag: 'x', size: '37777777777' });
    expect(refusalOf(() => readTar(announced))).toMatch(
      /^LIMIT: cannot take an extended header of 4294967295 bytes/,
    );
  });

  it('bound headers, those that describe others too', () => {
    const archive = tar.archive(tar.file('a'), tar.file('b', '', { pax: [['uid', '1']] }));
    expect(refusalOf(() => readTar(archive, { limits: { entries: 3 } }))).toBe('taken');
    expect(refusalOf(() => readTar(archive, { limits: { entries: 2 } }))).toBe(
      'LIMIT: cannot take a layer with more than 2 tar headers',
    );
  });
});
