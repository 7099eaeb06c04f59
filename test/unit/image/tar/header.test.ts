import { describe, expect, it } from 'vitest';
import { decodeHeader, typeOf } from '../../../../image/tar/header.ts';
import { base256, GNU, header, V7 } from '../../../support/tar-maker.ts';
import { refusalOf } from '../../../support/tar-reading.ts';

const BAD_CHECKSUM = 'MALFORMED: cannot read tar header: the checksum does not match';

describe('decodeHeader()', () => {
  it('reads every field of a ustar header', () => {
    const block = header({
      name: 'b',
      prefix: 'a',
      mode: 0o4755,
      uid: 1000,
      gid: 100,
      size: 5,
      mtime: 1_700_000_000,
      typeflag: '3',
      linkName: 'target',
      devMajor: 8,
      devMinor: 1,
    });
    expect(decodeHeader(block)).toEqual({
      format: 'ustar',
      name: 'a/b',
      linkName: 'target',
      typeflag: '3',
      mode: 0o4755,
      uid: 1000,
      gid: 100,
      size: 5,
      mtime: 1_700_000_000,
      devMajor: 8,
      devMinor: 1,
    });
  });

  it('takes a block of zeros for no header', () => {
    expect(decodeHeader(Buffer.alloc(512))).toBeUndefined();
  });

  it('keeps a name that fills its field to the last byte', () => {
    const name = 'n'.repeat(100);
    expect(decodeHeader(header({ name, linkName: 'l'.repeat(100) }))).toMatchObject({
      name,
      linkName: 'l'.repeat(100),
    });
  });

  it('keeps bytes that are not UTF-8', () => {
    expect(decodeHeader(header({ name: 'caf\xe9\xff\n' }))?.name).toBe('caf\xe9\xff\n');
  });

  it('sees neither prefix nor device number in a v7 header', () => {
    const block = header({ magic: V7, prefix: 'not-a-prefix', devMajor: 8, devMinor: 1 });
    expect(decodeHeader(block)).toMatchObject({ format: 'v7', name: 'file', devMajor: 0, devMinor: 0 });
  });

  it('sees atime and ctime, and no prefix, in a GNU header', () => {
    const block = header({ magic: GNU, patch: { 345: '14524470000\x0014524470000\0' } });
    expect(decodeHeader(block)).toMatchObject({ format: 'gnu', name: 'file' });
  });

  it('sees the prefix that Go wrote into GNU headers before 1.8', () => {
    expect(decodeHeader(header({ magic: GNU, prefix: 'usr/share/doc' }))?.name).toBe('usr/share/doc/file');
    expect(decodeHeader(header({ magic: GNU, prefix: 'usr/\xff' }))?.name).toBe('file');
  });

  it('reads the shorter prefix of a star header', () => {
    const block = header({ patch: { 345: 'p'.repeat(131), 476: '14524470000\0', 508: 'tar\0' } });
    expect(decodeHeader(block)).toMatchObject({ format: 'star', name: `${'p'.repeat(131)}/file` });
  });

  it('reads numbers that do not fit in octal, negative times too', () => {
    const block = header({ size: base256(0x3_0000_0000n, 12), mtime: base256(-86400n, 12) });
    expect(decodeHeader(block)).toMatchObject({ size: 0x3_0000_0000, mtime: -86400 });
  });

  it('takes a checksum of signed bytes, as old tars wrote it', () => {
    const name = '\xff\xfe';
    expect(decodeHeader(header({ name, checksum: 'signed' }))?.name).toBe(name);
    expect(decodeHeader(header({ name, checksum: 'unsigned' }))?.name).toBe(name);
  });

  it('refuses a wrong checksum', () => {
    expect(refusalOf(() => decodeHeader(header({ checksum: '0000001\0' })))).toBe(BAD_CHECKSUM);
    const flipped = header();
    flipped[0] = 0x58;
    expect(refusalOf(() => decodeHeader(flipped))).toBe(BAD_CHECKSUM);
  });
});

describe('typeOf()', () => {
  const typeOfFlag = (typeflag: string): string => {
    const decoded = decodeHeader(header({ typeflag }));
    return decoded === undefined ? '' : typeOf(decoded);
  };

  it('knows what POSIX and GNU define', () => {
    expect(['\0', '0', '1', '2', '3', '4', '5', '6', '7'].map(typeOfFlag)).toEqual([
      'file',
      'file',
      'hardlink',
      'symlink',
      'character',
      'block',
      'directory',
      'fifo',
      'file',
    ]);
    expect(['x', 'g', 'L', 'K', 'S'].map(typeOfFlag)).toEqual([
      'pax',
      'global-pax',
      'gnu-name',
      'gnu-link-name',
      'gnu-sparse',
    ]);
  });

  it('refuses every other flag', () => {
    for (const flag of ['8', 'A', 'D', 'M', 'N', 'V', 'X', '\xff']) {
      expect(refusalOf(() => typeOfFlag(flag))).toMatch(
        /^UNSUPPORTED: cannot take "file": unknown tar type /,
      );
    }
  });
});
