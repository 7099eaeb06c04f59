// Layer images as the kernel sees them, beside what other unpackers make of the same layers.
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { LayerChain } from '../../support/layer-chain.ts';
import { buildImage, listImage } from '../../support/layer-image.ts';
import {
  hasUmoci,
  listMerged,
  listMounted,
  listUnpackedByTar,
  listUnpackedByUmoci,
  whyNotMounted,
} from '../../support/mounted-image.ts';
import * as tar from '../../support/tar-maker.ts';

const OBSTACLE = await (async () => {
  using built = await buildImage(tar.archive());
  return whyNotMounted(built.file);
})();
const UMOCI_OBSTACLE = OBSTACLE ?? (hasUmoci() ? undefined : 'needs umoci');

const itUnless = (obstacle: string | undefined) => (name: string, test: () => Promise<void>) => {
  it(name, async ({ skip }) => {
    skip(obstacle !== undefined, obstacle);
    await test();
  });
};
const itMounted = itUnless(OBSTACLE);
const itWithUmoci = itUnless(UMOCI_OBSTACLE);

const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const time = (seconds: number) => ({ mtime: seconds });

/** What any unpacker takes: everything is described, nothing twice. */
const FRIENDLY = tar.archive(
  tar.directory('./', { mode: 0o711, mtime: 1 }),
  tar.directory('d/', { mode: 0o1777, mtime: 1_700_000_000, uid: 1, gid: 2 }),
  tar.file('d/empty', '', time(5)),
  tar.file('d/setuid', 'x'.repeat(513), { mode: 0o4755, uid: 1000, gid: 100, mtime: 7 }),
  tar.file('d/unreadable', 'x', { mode: 0, mtime: 8 }),
  tar.file('d/old', 'x', { pax: [['mtime', '-12345.25']] }),
  tar.file('d/large', Buffer.alloc(3_000_000, 'large '), {
    pax: [
      ['mtime', '1234567890.123456789'],
      ['uid', '3000000'],
    ],
  }),
  tar.hardlink('d/again', 'd/setuid'),
  tar.symlink('absolute', '/d/empty', time(9)),
  tar.symlink('dangling', 'nowhere', time(10)),
  tar.symlink('long', '', { ...time(11), pax: [['linkpath', 'some/'.repeat(300)]] }),
  tar.entry('null', { typeflag: '3', mode: 0o666, devMajor: 1, devMinor: 3, mtime: 12 }),
  tar.entry('disk', { typeflag: '4', mode: 0o660, devMajor: 259, devMinor: 1000, mtime: 13 }),
  tar.entry('fifo', { typeflag: '6', mode: 0o600, mtime: 14 }),
  tar.file('caf\xe9 \n\xff', 'bytes', time(15)),
  tar.file('', 'long name', { ...time(16), pax: [['path', `${'n'.repeat(255)}`]] }),
  tar.file('capable', 'x', { ...time(17), pax: [['SCHILY.xattr.security.capability', CAPABILITY]] }),
  tar.file('capable-too', 'x', { ...time(17), pax: [['SCHILY.xattr.security.capability', CAPABILITY]] }),
  tar.file('attributes', 'x', {
    ...time(18),
    pax: [
      ['SCHILY.xattr.user.bytes', Buffer.from([0, 10, 61, 255])],
      ['SCHILY.xattr.user.large', 'v'.repeat(3000)],
      ['SCHILY.xattr.trusted.mine', 'y'],
    ],
  }),
  tar.directory('attributed', { ...time(19), pax: [['SCHILY.xattr.user.of-directory', 'y'.repeat(700)]] }),
  tar.symlink('attributed-link', 't'.repeat(90), {
    ...time(20),
    pax: [['SCHILY.xattr.trusted.of-link', 'y'.repeat(400)]],
  }),
);

describe('a layer image, mounted', () => {
  for (const blockSize of [512, 4096] as const) {
    itMounted(`is what the archive says, in blocks of ${blockSize} bytes`, async () => {
      using built = await buildImage(FRIENDLY, { blockSize });
      const mounted = listMounted(built.file);
      expect(mounted).toEqual(listImage(built.image));
      expect(mounted).toEqual(listUnpackedByTar(FRIENDLY));
    });

    itMounted(`has large directories that are searched right, in blocks of ${blockSize} bytes`, async () => {
      const names = Array.from({ length: 3000 }, (_, n) => `${(n * 7919) % 3001}${'-'.repeat(n % 200)}`);
      names.push('!', '-', '.a', '..b', '\x01', '\xff');
      using built = await buildImage(
        tar.archive(...names.map((name) => tar.file('', name, { pax: [['path', `d/${name}`]] }))),
        { blockSize },
      );
      const mounted = listMounted(built.file);
      expect(Object.keys(mounted)).toHaveLength(names.length + 2);
      expect(mounted).toEqual(listImage(built.image));
    });

    itMounted(
      `keeps every size of attributes and link targets, in blocks of ${blockSize} bytes`,
      async () => {
        const sizes = [
          1, 2, 3, 50, 100, 200, 300, 330, 350, 383, 384, 400, 440, 447, 448, 449, 500, 512, 600, 2900, 3100,
          4000,
        ];
        const entries = sizes.flatMap((size) => [
          tar.symlink(`link-${size}`, '', { pax: [['linkpath', 't'.repeat(size)]] }),
          tar.file(`file-${size}`, 'x', { pax: [['SCHILY.xattr.user.x', `${size}`.padEnd(size, 'v')]] }),
          tar.symlink(`both-${size}`, '', {
            pax: [
              ['linkpath', 't'.repeat(size)],
              ['SCHILY.xattr.trusted.x', `${size}`.padEnd(size, 'v')],
            ],
          }),
          tar.directory(`directory-${size}`, { pax: [['SCHILY.xattr.trusted.x', 'v'.repeat(size)]] }),
        ]);
        using built = await buildImage(tar.archive(...entries), { blockSize });
        expect(listMounted(built.file)).toEqual(listImage(built.image));
      },
    );
  }

  const SPARSE_FORMATS = [
    ['--format=gnu'],
    ['--format=posix', '--sparse-version=0.0'],
    ['--format=posix', '--sparse-version=0.1'],
    ['--format=posix', '--sparse-version=1.0'],
  ];
  for (const options of SPARSE_FORMATS) {
    itMounted(`shows sparse files whole, as GNU tar writes them with ${options.join(' ')}`, async () => {
      const archive = sparseArchive(options);
      const unpacked = listUnpackedByTar(archive);
      expect(unpacked.holes).toMatchObject({ size: 20_000_000 });
      expect(archive.length).toBeLessThan(1_000_000);
      for (const blockSize of [512, 4096] as const) {
        using built = await buildImage(archive, { blockSize });
        expect(listMounted(built.file)).toEqual(unpacked);
      }
    });
  }
});

/** An archive by GNU tar of a file with thirty parts and holes between, and of a plain one. */
function sparseArchive(options: readonly string[]): Buffer {
  const folder = mkdtempSync(path.join(tmpdir(), 'hull-sparse-'));
  try {
    const fd = openSync(path.join(folder, 'holes'), 'w');
    for (let n = 0; n < 30; n++) writeSync(fd, `part ${n}`, n * 600_000 + n);
    ftruncateSync(fd, 20_000_000);
    closeSync(fd);
    writeFileSync(path.join(folder, 'plain'), 'plain');
    return execFileSync('tar', ['--sparse', ...options, '-C', folder, '-c', '.'], { maxBuffer: 2 ** 26 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const LOWER = tar.archive(
  tar.directory('./', { mode: 0o711, mtime: 5 }),
  tar.directory('usr', { mode: 0o750, uid: 1, gid: 2, mtime: 6 }),
  tar.directory('usr/lib', { mode: 0o701, mtime: 7 }),
  tar.file('usr/lib/a', 'lower a', { mode: 0o600, mtime: 8 }),
  tar.file('usr/lib/b', 'lower b', time(9)),
  tar.symlink('lib', 'usr/lib', time(10)),
  tar.directory('etc', { mtime: 11 }),
  tar.file('etc/conf', 'conf', time(12)),
  tar.directory('etc/sub', { mtime: 13 }),
  tar.file('etc/sub/deep', 'deep', time(14)),
);
const ROOT = tar.directory('./', { mode: 0o700, mtime: 20 });

// biome-ignore format: a table
const UPPERS: [what: string, uppers: Buffer[][]][] = [
  ['whiteouts of files and directories',       [[ROOT, tar.file('etc/.wh.conf'), tar.file('usr/.wh.lib')]]],
  ['a whiteout of something that is not there', [[ROOT, tar.file('.wh.none'), tar.file('none/.wh.x')]]],
  ['an opaque directory, marked first',        [[ROOT, tar.directory('etc', time(30)), tar.file('etc/.wh..wh..opq'), tar.file('etc/new', 'n', time(31))]]],
  ['an opaque directory, marked last',         [[ROOT, tar.directory('etc', time(30)), tar.file('etc/new', 'n', time(31)), tar.file('etc/.wh..wh..opq')]]],
  ['a directory removed and made again',       [[ROOT, tar.file('.wh.etc'), tar.directory('etc', time(30)), tar.file('etc/new', 'n', time(31))]]],
  ['a file where a directory was',             [[ROOT, tar.file('etc', 'now a file', time(30))]]],
  ['a directory where a link was',             [[ROOT, tar.directory('lib', time(30)), tar.file('lib/x', 'x', time(31))]]],
  ['a link where a directory was',             [[ROOT, tar.symlink('etc', 'usr', time(30))]]],
  ['file, directory and file again',           [[ROOT, tar.file('etc', '', time(30))], [ROOT, tar.directory('etc', time(31)), tar.file('etc/x', 'x', time(32))]]],
  ['implied parents through a link below',     [[ROOT, tar.file('lib/x', 'new', time(30)), tar.file('lib/.wh.a')]]],
  ['implied parents with attributes below',    [[ROOT, tar.file('usr/lib/x', 'new', time(30))]]],
  ['implied parents through two links',        [[ROOT, tar.symlink('l1', 'l2/lib', time(30)), tar.symlink('l2', '/usr', time(31))], [ROOT, tar.file('l1/x', 'x', time(32))]]],
  ['a hard link to a file below',              [[ROOT, tar.hardlink('h', 'lib/a')]]],
  ['a whiteout in one layer, content in the next', [[ROOT, tar.file('.wh.etc')], [ROOT, tar.directory('etc', time(30)), tar.file('etc/x', 'x', time(31))]]],
  ['new attributes for a directory below',     [[ROOT, tar.directory('etc', { mode: 0o700, uid: 9, mtime: 30 })]]],
  ['everything below hidden',                  [[ROOT, tar.file('.wh..wh..opq'), tar.file('new', 'n', time(30))]]],
];

describe('layers, merged by overlayfs', () => {
  for (const [what, uppers] of UPPERS) {
    itWithUmoci(`are what umoci unpacks: ${what}`, async () => {
      const archives = [LOWER, ...uppers.map((entries) => tar.archive(...entries))];
      using chain = await LayerChain.build(archives);
      expect(listMerged(chain.files)).toEqual(listUnpackedByUmoci(archives));
    });
  }
});

describe('overlay attributes that a layer brings (L-04)', () => {
  itMounted('do nothing, and show no file of another place', async () => {
    const secret = tar.archive(
      tar.directory('secret'),
      tar.file('secret/key', 'key'),
      tar.directory('d'),
      tar.file('d/x', 'x'),
    );
    const claims = (...names: [string, string][]) => ({
      pax: names.map(([name, value]) => [`SCHILY.xattr.trusted.overlay.${name}`, value] as const),
    });
    const upper = tar.archive(
      tar.directory('d', claims(['redirect', '/secret'])),
      tar.directory('e', claims(['redirect', '/secret'], ['opaque', 'y'])),
      tar.file('f', '', claims(['metacopy', ''], ['redirect', '/secret/key'])),
    );
    using chain = await LayerChain.build([secret, upper]);
    const merged = listMerged(chain.files);
    expect(Object.keys(merged).sort()).toEqual(['', 'd', 'd/x', 'e', 'f', 'secret', 'secret/key']);
    expect(merged.f?.size).toBe(0);
  });

  itMounted('would do something if they were not escaped: the marks of whiteouts do', async () => {
    using chain = await LayerChain.build([
      LOWER,
      tar.archive(tar.directory('etc'), tar.file('etc/.wh..wh..opq')),
    ]);
    expect(listMerged(chain.files)['etc/conf']).toBeUndefined();
  });
});
