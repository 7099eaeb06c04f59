// Layers with everything in them that a layer can have.
import * as tar from '../tar-maker.ts';

const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const BINARY = Buffer.from([0x00, 0xff, 0x0a, 0x3d, 0x80]);

const xattr = (name: string, value: string | Buffer): readonly [string, string | Buffer] => [
  `SCHILY.xattr.${name}`,
  value,
];

/** The base of the samples below: kinds, owners, modes, times, links, attributes, names. */
export const BASE_LAYER: Buffer = tar.archive(
  tar.directory('./', { mode: 0o711, mtime: 1_000_000_000, uid: 3, gid: 4 }),
  tar.directory('bin/', { mtime: 1 }),
  tar.file('bin/suid', 'x', { mode: 0o4755, uid: 0, gid: 50, mtime: 2 }),
  tar.file('bin/sgid', 'x', { mode: 0o2755, uid: 7, gid: 8, mtime: 3 }),
  tar.file('bin/ping', 'x', { mode: 0o755, pax: [xattr('security.capability', CAPABILITY)], mtime: 4 }),
  tar.file('bin/unreadable', 'secret', { mode: 0, mtime: 5 }),
  tar.directory('tmp/', { mode: 0o1777, mtime: 6 }),
  tar.directory('shared/', { mode: 0o2775, gid: 99, mtime: 7 }),
  tar.file('shared/in', 'x', { gid: 0, mtime: 8 }),
  tar.directory('etc/', { mtime: 9, pax: [xattr('user.note', 'dir'), xattr('trusted.x', BINARY)] }),
  tar.file('etc/a', 'one', { mtime: 10, pax: [xattr('user.binary', BINARY)] }),
  tar.file('etc/b', 'two', { pax: [['mtime', '981173106.789012345']] }),
  tar.file('etc/old', 'x', { pax: [['mtime', '-1.5']] }),
  tar.file('etc/large-ids', 'x', {
    pax: [
      ['uid', '4000000000'],
      ['gid', '3000000'],
    ],
    mtime: 11,
  }),
  tar.directory('dev/', { mtime: 12 }),
  tar.entry('dev/null', { typeflag: '3', devMajor: 1, devMinor: 3, mode: 0o666, mtime: 13 }),
  tar.entry('dev/disk', { typeflag: '4', devMajor: 259, devMinor: 70000, mode: 0o660, gid: 6, mtime: 14 }),
  tar.entry('dev/pipe', { typeflag: '6', mode: 0o622, uid: 5, mtime: 15 }),
  tar.symlink('dev/fd', '/proc/self/fd', { uid: 9, gid: 9, mtime: 16 }),
  tar.symlink('dangling', '../../../nowhere/\xff', { mtime: 17 }),
  tar.directory('links/', { mtime: 18 }),
  tar.file('links/one', 'linked', { mode: 0o640, mtime: 19 }),
  tar.hardlink('links/two', 'links/one'),
  tar.hardlink('three', '/links/one'),
  tar.hardlink('links/sym', 'dangling'),
  tar.directory('d1/', { mtime: 20 }),
  tar.directory('d1/d2/', { mode: 0o700, mtime: 21 }),
  tar.file('d1/d2/deep', 'x', { mtime: 22 }),
  tar.file('d1/keep', 'x', { mtime: 23 }),
  tar.directory('opaque/', { mode: 0o750, mtime: 24 }),
  tar.file('opaque/lower', 'x', { mtime: 25 }),
  tar.directory('opaque/sub/', { mtime: 26 }),
  tar.file('opaque/sub/x', 'x', { mtime: 27 }),
  tar.file('becomes-directory', 'x', { mtime: 28 }),
  tar.directory('becomes-file/', { mtime: 29 }),
  tar.file('becomes-file/x', 'x', { mtime: 30 }),
  tar.directory('\xff\xfe raw\n/', { mtime: 31 }),
  tar.file(`\xff\xfe raw\n/${'n'.repeat(80)}`, 'x', { mtime: 32 }),
  tar.entry('long', { content: 'x', mtime: 33, pax: [['path', `d1/${'l'.repeat(255)}`]] }),
  tar.file('zero', '', { mtime: 34 }),
  tar.file('big', Buffer.alloc(3_000_001, 'abc'), { mtime: 35 }),
  tar.symlink('lib', 'usr/lib', { mtime: 36 }),
  tar.directory('usr/', { mtime: 37 }),
  tar.directory('usr/lib/', { mode: 0o755, mtime: 38 }),
);

/** Describes every directory that it uses, as Docker's layers do. */
export const MIDDLE_LAYER: Buffer = tar.archive(
  tar.directory('etc/', { mtime: 109, mode: 0o751, pax: [xattr('user.other', 'x')] }),
  tar.file('etc/.wh.a'),
  tar.file('etc/b', 'changed', { mode: 0o600, mtime: 110 }),
  tar.file('etc/c', 'new', { mtime: 111 }),
  tar.directory('opaque/', { mode: 0o705, mtime: 112 }),
  tar.file('opaque/upper', 'x', { mtime: 113 }),
  tar.file('opaque/.wh..wh..opq'),
  tar.directory('becomes-directory/', { mode: 0o711, mtime: 114 }),
  tar.file('becomes-directory/x', 'x', { mtime: 115 }),
  tar.file('becomes-file', 'now', { mtime: 116 }),
  tar.file('.wh.three'),
  tar.directory('d1/', { mtime: 117 }),
  tar.file('d1/.wh.d2'),
  tar.directory('links/', { mtime: 118 }),
  tar.file('links/one', 'replaced', { mtime: 119 }),
);

/** Leaves directories out, goes through a link of the base, and links a file of it. */
export const TOP_LAYER: Buffer = tar.archive(
  tar.file('lib/through-link', 'x', { mtime: 201 }),
  tar.file('shared/added', 'x', { mtime: 202 }),
  tar.file('etc/.wh.c'),
  tar.hardlink('linked-below', 'bin/suid'),
  tar.file('becomes-directory', 'again', { mtime: 203 }),
);

export const SAMPLE_LAYERS: readonly Buffer[] = [BASE_LAYER, MIDDLE_LAYER, TOP_LAYER];
