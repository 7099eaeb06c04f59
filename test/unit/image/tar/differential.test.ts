// Our reader against tar-stream: the same on archives that anybody writes, and known where they part.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as tar from '../../../support/tar-maker.ts';
import { readTar, refusalOf } from '../../../support/tar-reading.ts';
import { type OtherEntry, readWithTarStream } from '../../../support/tar-stream-reading.ts';

// biome-ignore format: a table
const THEIR_TYPES: ReadonlyMap<string, string> = new Map([
  ['file', 'file'],
  ['directory', 'directory'],
  ['symlink', 'symlink'],
  ['link', 'hardlink'],
  ['character-device', 'character'],
  ['block-device', 'block'],
  ['fifo', 'fifo'],
]);

/** What we read, in tar-stream's terms. */
function ours(archive: Buffer): OtherEntry[] {
  return readTar(archive).map(({ name, type, linkName, mode, uid, gid, mtime, data }) => {
    return { name, type, linkName, mode, uid, gid, seconds: mtime.seconds, data };
  });
}

async function theirs(archive: Buffer): Promise<OtherEntry[] | string> {
  const read = await readWithTarStream(archive);
  if (typeof read === 'string') return read;
  return read.map((entry) => ({ ...entry, type: THEIR_TYPES.get(entry.type) ?? entry.type }));
}

const name = fc
  .stringMatching(/^[a-zA-Z0-9._ -]{1,30}(\/[a-zA-Z0-9._ -]{1,30}){0,3}$/)
  .filter((text) => text.length < 100);
const metadata = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.nat({ max: 0o7777777 }),
  gid: fc.nat({ max: 0o7777777 }),
  mtime: fc.nat({ max: 2 ** 33 - 1 }),
});
const content = fc.uint8Array({ maxLength: 1500 }).map((bytes) => Buffer.from(bytes));
const longName = fc.stringMatching(/^[a-z]{101,300}$/);
const entry = fc.oneof(
  fc.tuple(name, content, metadata).map(([path, data, fields]) => tar.file(path, data, fields)),
  fc.tuple(longName, content).map(([path, data]) => tar.file('short', data, { pax: [['path', path]] })),
  fc
    .tuple(longName, metadata)
    .map(([path, fields]) =>
      Buffer.concat([
        tar.extended('L', `${path}\0`, { magic: tar.GNU }),
        tar.directory('short', { ...fields, magic: tar.GNU }),
      ]),
    ),
  fc.tuple(name, name, metadata).map(([path, target, fields]) => tar.symlink(path, target, fields)),
  fc.tuple(name, name).map(([path, target]) => tar.hardlink(path, target)),
  fc.tuple(name, metadata).map(([path, fields]) => tar.entry(path, { ...fields, typeflag: '6' })),
  fc
    .tuple(name, fc.nat({ max: 255 }))
    .map(([path, devMinor]) => tar.entry(path, { typeflag: '3', devMajor: 1, devMinor })),
);

describe('TarReader and tar-stream', () => {
  it('read the same from archives that anybody writes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 6 }), async (entries) => {
        const archive = tar.archive(...entries);
        expect(await theirs(archive)).toEqual(ours(archive));
      }),
    );
  });

  const capability = Buffer.from('0100000200200000ff000000', 'hex');
  const names = (entries: OtherEntry[] | string) =>
    typeof entries === 'string' ? entries : entries.map((read) => read.name).join(' ');

  // biome-ignore format: a table
  const PARTINGS: [what: string, archive: Buffer, ours: string, theirs: string][] = [
    ['a directory with a size',            tar.archive(tar.directory('d', { size: 512 }), tar.file('f')),                  'd f',      'hangs'],
    ['entries behind the end',             Buffer.concat([tar.archive(tar.file('f')), tar.archive(tar.file('hidden'))]),   'f',        'f hidden'],
    ['names that are not UTF-8, in PAX',   tar.archive(tar.file('f', '', { pax: [['path', 'caf\xe9']] })),                 'caf\xe9',  'caf\ufffd'],
    ['checksums of signed bytes',          tar.archive(tar.header({ name: '\xff', checksum: 'signed' })),                  '\xff',     'Invalid tar header. Maybe the tar is corrupted or it needs to be gunzipped?'],
    ['a file that is cut off',             tar.file('f', 'content').subarray(0, 700),                                      'MALFORMED: cannot read layer: the archive is cut off', 'Unexpected end of data'],
    ['PAX records that are cut off',       tar.archive(tar.extended('x', '99 path=x\n'), tar.file('f')),                   'MALFORMED: cannot read pax header: a record does not end where it says', 'x\n'],
    ['old GNU sparse files',               tar.archive(tar.header({ typeflag: 'S', magic: tar.GNU, name: 's', patch: { 483: '00000000012\0' } })), 's', 's'],
  ];

  for (const [what, archive, weRead, theyRead] of PARTINGS) {
    it(`part, as is known, at ${what}`, async () => {
      let read = '';
      const refusal = refusalOf(() => {
        read = names(ours(archive));
      });
      expect(refusal === 'taken' ? read : refusal).toBe(weRead);
      expect(names(await theirs(archive))).toBe(theyRead);
    });
  }

  it('part, as is known, at owners beyond 2^21: theirs stay in the PAX header', async () => {
    const archive = tar.archive(
      tar.file('f', '', {
        pax: [
          ['uid', '3000000'],
          ['SCHILY.xattr.security.capability', capability],
        ],
      }),
    );
    expect(ours(archive)[0]?.uid).toBe(3_000_000);
    expect(readTar(archive)[0]?.xattrs).toEqual([{ name: 'security.capability', value: capability }]);
    expect((await theirs(archive))[0]).toMatchObject({ uid: 0 });
  });
});
