import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildImage, listImage, sha256 } from '../../../support/layer-image.ts';
import * as tar from '../../../support/tar-maker.ts';

const SPARSE_PAX: [string, string][] = [
  ['GNU.sparse.size', '10000'],
  ['GNU.sparse.name', 'sparse'],
  ['GNU.sparse.map', '100,3,5000,2'],
];
const SPARSE_CONTENT = `${'\0'.repeat(100)}abc${'\0'.repeat(4897)}de${'\0'.repeat(4998)}`;
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

const ARCHIVE = tar.archive(
  tar.directory('./', { mode: 0o700, uid: 1, gid: 2, mtime: 3 }),
  tar.directory('d/', { mode: 0o1777, mtime: 1_700_000_000, pax: [['mtime', '1700000000.123456789']] }),
  tar.file('d/empty'),
  tar.file('d/small', 'hello', { mode: 0o4755, uid: 1000, gid: 100, pax: [['mtime', '-1.5']] }),
  tar.file('d/large', 'x'.repeat(300_000), { pax: [['uid', '4294967294']] }),
  tar.hardlink('hard', 'd/small'),
  tar.symlink('link', '../d'),
  tar.symlink('long-link', '', { pax: [['linkpath', 't'.repeat(4095)]] }),
  tar.entry('null', { typeflag: '3', mode: 0o666, devMajor: 1, devMinor: 3 }),
  tar.entry('disk', { typeflag: '4', mode: 0o660, devMajor: 4095, devMinor: 1_048_575 }),
  tar.entry('fifo', { typeflag: '6', mode: 0o600 }),
  tar.file('caf\xe9\n', 'bytes'),
  tar.file('sparse', 'abcde', { pax: SPARSE_PAX }),
  tar.file('ping', 'x', { pax: [['SCHILY.xattr.security.capability', CAPABILITY]] }),
  tar.file('ping6', 'x', {
    pax: [
      ['SCHILY.xattr.security.capability', CAPABILITY],
      ['SCHILY.xattr.user.big', 'v'.repeat(3000)],
      ['SCHILY.xattr.user.nul', Buffer.from([0, 255])],
    ],
  }),
);

const COMMON = { mode: 0o644, uid: 0, gid: 0, mtime: '0.000000000' };
const file = (content: string, fields = {}) => ({
  ...COMMON,
  type: 'file',
  nlink: 1,
  size: content.length,
  sha256: sha256(content),
  ...fields,
});
const hello = file('hello', { mode: 0o4755, uid: 1000, gid: 100, mtime: '-2.500000000', nlink: 2 });
const capability = CAPABILITY.toString('hex');

const EXPECTED = {
  '': { ...COMMON, type: 'directory', mode: 0o700, uid: 1, gid: 2, mtime: '3.000000000' },
  d: { ...COMMON, type: 'directory', mode: 0o1777, mtime: '1700000000.123456789' },
  'd/empty': file(''),
  'd/small': hello,
  'd/large': file('x'.repeat(300_000), { uid: 4_294_967_294 }),
  hard: hello,
  link: { ...COMMON, type: 'symlink', mode: 0o777, nlink: 1, target: '../d' },
  'long-link': { ...COMMON, type: 'symlink', mode: 0o777, nlink: 1, target: 't'.repeat(4095) },
  null: { ...COMMON, type: 'character', mode: 0o666, nlink: 1, rdev: '1:3' },
  disk: { ...COMMON, type: 'block', mode: 0o660, nlink: 1, rdev: '4095:1048575' },
  fifo: { ...COMMON, type: 'fifo', mode: 0o600, nlink: 1 },
  'caf\xe9\n': file('bytes'),
  sparse: file(SPARSE_CONTENT),
  ping: file('x', { xattrs: { 'security.capability': capability } }),
  ping6: file('x', {
    xattrs: {
      'security.capability': capability,
      'user.big': Buffer.from('v'.repeat(3000)).toString('hex'),
      'user.nul': '00ff',
    },
  }),
};

describe('createErofsSink()', () => {
  for (const blockSize of [512, 4096] as const) {
    it(`keeps all that an archive says, in blocks of ${blockSize} bytes`, async () => {
      using built = await buildImage(ARCHIVE, { blockSize });
      expect(listImage(built.image)).toEqual(EXPECTED);
      expect(built.layer).toMatchObject({ blockSize, inodes: 14, describesRoot: true, hidesBelow: false });
      expect(built.layer.imageSize % 4096).toBe(0);
    });
  }

  it('has the archive in an image with blocks of 512 bytes', async () => {
    using built = await buildImage(ARCHIVE);
    expect(
      readFileSync(built.file)
        .subarray(4096, 4096 + ARCHIVE.length)
        .equals(ARCHIVE),
    ).toBe(true);
  });

  it('makes the same image each time', async () => {
    using first = await buildImage(ARCHIVE);
    using second = await buildImage(ARCHIVE);
    expect(readFileSync(first.file).equals(readFileSync(second.file))).toBe(true);
  });

  it('makes an image of an empty layer', async () => {
    using built = await buildImage(tar.archive());
    expect(listImage(built.image)).toEqual({ '': { ...COMMON, type: 'directory', mode: 0o755 } });
    expect(built.layer.describesRoot).toBe(false);
  });

  it('sorts directories as bytes, `.` and `..` in their places, over many blocks', async () => {
    const names = ['!', '-', '.a', '..b', '0', 'Z', 'a', '\x80', '\xff'];
    for (let n = 1; n < 3000; n++) names.push(`n${n}`, `${n}${'x'.repeat(n % 250)}`);
    using built = await buildImage(
      tar.archive(...names.map((name) => tar.file('', '', { pax: [['path', name]] }))),
    );
    const listed = built.image.list(built.image.root).map(({ name }) => name);
    expect(listed.join('/') === ['.', '..', ...names].sort().join('/')).toBe(true);
    expect(Object.keys(listImage(built.image))).toHaveLength(names.length + 1);
    for (const name of names) expect(built.image.lookup(built.image.root, name)).toBeDefined();
    for (const name of ['', ' ', 'n', 'n1x', 'zzz'])
      expect(built.image.lookup(built.image.root, name)).toBeUndefined();
  });

  it('holds files of more than 4 GiB', async () => {
    const size = 6 * 1024 ** 3;
    const pax: [string, string][] = [
      ['GNU.sparse.size', String(size)],
      ['GNU.sparse.map', `${size - 3},3`],
    ];
    for (const blockSize of [512, 4096] as const) {
      using built = await buildImage(tar.archive(tar.file('huge', 'end', { pax }), tar.file('next', 'n')), {
        blockSize,
      });
      const { image } = built;
      const huge = image.lookup(image.root, 'huge');
      if (huge === undefined) throw new Error('huge is there');
      const end = Buffer.alloc(5);
      image.read(huge, size - 5, end);
      expect([huge.size, end.toString()]).toEqual([size, '\0\0end']);
    }
  });

  it('shares attributes that several inodes have, and only these', async () => {
    const files = Array.from({ length: 100 }, (_, n) =>
      tar.file(`f${n}`, '', { pax: [['SCHILY.xattr.user.shared', 's'.repeat(1000)]] }),
    );
    using shared = await buildImage(tar.archive(...files));
    expect(shared.layer.imageSize).toBeLessThan(tar.archive(...files).length + 4096 + 30_000);
    expect(Object.values(listImage(shared.image)).filter(({ xattrs }) => xattrs !== undefined)).toHaveLength(
      100,
    );
  });
});
