import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ArchiveTree } from '../../../../image/source/archive.ts';
import { readSlice } from '../../../../image/source/file-tree.ts';
import { openSpool } from '../../../../image/store/staging.ts';
import { openStore } from '../../../../image/store/store.ts';
import { failureOf } from '../../../support/image/messages.ts';
import { Scratch } from '../../../support/image/scratch.ts';
import * as tar from '../../../support/tar-maker.ts';

/** What an archive has under the names; undefined where it has nothing. */
async function contents(bytes: Buffer, ...names: string[]): Promise<(string | undefined)[]> {
  using scratch = new Scratch();
  writeFileSync(scratch.join('a.tar'), bytes);
  return await contentsOf(scratch, scratch.join('a.tar'), ...names);
}

async function contentsOf(
  scratch: Scratch,
  file: string,
  ...names: string[]
): Promise<(string | undefined)[]> {
  const store = openStore(scratch.join('root'));
  using tree = await ArchiveTree.open(file, () => openSpool(store));
  const found = names.map((name) => {
    using slice = tree.open(name);
    return slice && readSlice(slice, 2 ** 20, name).toString('latin1');
  });
  expect(readdirSync(store.directory('staging'))).toEqual([]);
  return found;
}

const failure = async (bytes: Buffer): Promise<string> =>
  (await failureOf(() => contents(bytes))).replace(/"\/.*\/a\.tar"/, '"a.tar"');

const LONG = `${'d'.repeat(90)}/${'f'.repeat(200)}`;
const GOOD = tar.archive(
  tar.directory('blobs/'),
  tar.file('blobs/empty'),
  tar.file('blobs/one', 'x'.repeat(1000)),
  tar.file('./blobs/two', 'second'),
  tar.entry('ignored', { content: 'long', pax: [['path', LONG]] }),
  tar.symlink('a/layer.tar', '../blobs/one'),
  tar.hardlink('b', 'blobs/two'),
);
const NAMES = ['blobs/empty', 'blobs/one', 'blobs/two', LONG, 'a/layer.tar', 'b', 'blobs', 'c'];
const CONTENTS = ['', 'x'.repeat(1000), 'second', 'long', 'x'.repeat(1000), 'second', undefined, undefined];

describe('ArchiveTree', () => {
  it('finds what a plain archive holds, links included', async () => {
    expect(await contents(GOOD, ...NAMES)).toEqual(CONTENTS);
  });

  it('finds the same in a compressed one, and leaves nothing behind', async () => {
    expect(await contents(gzipSync(GOOD), ...NAMES)).toEqual(CONTENTS);
    expect(await contents(zstdCompressSync(GOOD), ...NAMES)).toEqual(CONTENTS);
    const halves = [GOOD.subarray(0, 1024), GOOD.subarray(1024)].map((half) => gzipSync(half));
    expect(await contents(Buffer.concat(halves), ...NAMES)).toEqual(CONTENTS);
  });

  it('reads a pipe', async () => {
    using scratch = new Scratch();
    const fifo = scratch.join('fifo');
    writeFileSync(scratch.join('a.tar'), GOOD);
    execFileSync('sh', ['-c', 'mkfifo "$1"; cat "$2" > "$1" &', 'sh', fifo, scratch.join('a.tar')], {
      stdio: 'ignore',
    });
    expect(await contentsOf(scratch, fifo, ...NAMES)).toEqual(CONTENTS);
  });

  it('says where contents are, wherever the archive is cut into pieces', async () => {
    const files = Array.from({ length: 700 }, (_, n) => tar.file(`f${n}`, `${n}`.repeat(n)));
    const names = Array.from({ length: 700 }, (_, n) => `f${n}`);
    const found = await contents(tar.archive(...files), ...names);
    expect(found).toEqual(names.map((_, n) => `${n}`.repeat(n)));
  });
});

describe('ArchiveTree and hostile archives', () => {
  it('does not know names that lead out of the archive', async () => {
    const archive = tar.archive(
      tar.file('../up', 'x'),
      tar.file('/abs', 'x'),
      tar.file('a/../../up', 'x'),
      tar.symlink('l', '../../etc/passwd'),
      tar.symlink('m', '/etc/passwd'),
      tar.file('ok', 'fine'),
    );
    const names = ['../up', '/abs', 'abs', 'a/../../up', 'up', 'l', 'm', 'etc/passwd', '/etc/passwd', 'ok'];
    expect(await contents(archive, ...names)).toEqual([...Array(9).fill(undefined), 'fine']);
  });

  it('refuses links in a circle, when they are followed', async () => {
    const archive = tar.archive(tar.symlink('a', 'b'), tar.symlink('b', 'a'), tar.file('ok', 'fine'));
    expect(await contents(archive, 'ok')).toEqual(['fine']);
    expect(await failureOf(() => contents(archive, 'a'))).toMatch(/too many levels of links$/);
  });

  // biome-ignore format: a table
  const CASES: [what: string, bytes: Buffer, message: string | RegExp][] = [
    ['two entries of one name',     tar.archive(tar.file('x', '1'), tar.file('./x', '2')), 'cannot read archive "a.tar": it holds two entries named "x"'],
    ['a cut in the content',        GOOD.subarray(0, 1800),              /^cannot read archive "a\.tar": unexpected end of data$/],
    ['a broken header',             Buffer.concat([tar.file('x', '1'), Buffer.alloc(512, 'y')]), /^cannot read archive "a\.tar": invalid tar header/],
    ['not a tar at all',            Buffer.from('x'.repeat(5000)),       /^cannot read archive "a\.tar": invalid tar header/],
    ['a cut in the compression',    gzipSync(GOOD).subarray(0, 200),     /^cannot read archive "a\.tar": unexpected end of file$/],
    ['a broken checksum of gzip',   breakEnd(gzipSync(GOOD)),            /^cannot read archive "a\.tar": incorrect data check$/],
    ['too many entries',            tar.archive(...Array.from({ length: 100_001 }, (_, n) => tar.header({ name: `f${n}` }))), 'cannot read archive "a.tar": it holds more than 100000 entries'],
  ];
  for (const [what, bytes, message] of CASES) {
    it(`refuses ${what}`, async () => {
      if (typeof message === 'string') expect(await failure(bytes)).toBe(message);
      else expect(await failure(bytes)).toMatch(message);
    });
  }

  it('leaves no descriptor open when it refuses', async () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let n = 0; n < 5; n++) await failure(gzipSync(GOOD).subarray(0, 200));
    const probe = openSync('/dev/null', 'r');
    closeSync(probe);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });
});

function breakEnd(bytes: Buffer): Buffer {
  const broken = Buffer.from(bytes);
  broken.writeUInt32LE(0xdeadbeef, broken.length - 8);
  return broken;
}
