import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../../image/erofs/crc32c.ts';
import { decodeDirectory, directorySize, encodeDirectory } from '../../../../image/erofs/dirent.ts';
import {
  decodeDevice,
  decodeSuperBlock,
  encodeDevice,
  encodeSuperBlock,
  joinXattrName,
  splitXattrName,
} from '../../../../image/erofs/format.ts';

describe('crc32c()', () => {
  it('gives the check value of CRC-32C, but for the final inversion', () => {
    expect(~crc32c(Buffer.from('123456789')) >>> 0).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(0))).toBe(0xffffffff);
  });
});

describe('super blocks', () => {
  const fields = {
    blockSize: 512,
    rootNid: 2,
    inodes: 3,
    blocks: 0x01020304,
    metaBlock: 9,
    xattrBlock: 8,
    uuid: Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
  };

  it('are encoded as the kernel reads them, with a checksum over their whole block', () => {
    const block = encodeSuperBlock(fields);
    expect(block.length).toBe(512);
    // magic, checksum, compatible features; block bits, root, inodes; blocks, metadata, attributes, uuid
    expect(block.subarray(0, 4).toString('hex')).toBe('e2e1f5e0');
    expect(block.subarray(8, 24).toString('hex')).toBe('0300000009000200' + '0300000000000000');
    expect(block.subarray(36, 64).toString('hex')).toBe(
      '04030201' + '09000000' + '08000000' + '00112233445566778899aabbccddeeff',
    );
    const cleared = Buffer.from(block);
    cleared.writeUInt32LE(0, 4);
    expect(block.readUInt32LE(4)).toBe(crc32c(cleared));
    expect(encodeSuperBlock({ ...fields, blockSize: 4096 }).length).toBe(4096 - 1024);
  });

  it('are read back', () => {
    expect(decodeSuperBlock(encodeSuperBlock(fields))).toEqual(fields);
    expect(decodeSuperBlock(encodeSuperBlock({ ...fields, blockSize: 4096 }))?.blockSize).toBe(4096);
  });

  it('are refused with another magic, feature or block size, or cut off', () => {
    const changed = (at: number, byte: number): Buffer => {
      const block = encodeSuperBlock(fields);
      block[at] = byte;
      return block;
    };
    expect(decodeSuperBlock(changed(0, 0))).toBeUndefined();
    expect(decodeSuperBlock(changed(80, 1))).toBeUndefined();
    expect(decodeSuperBlock(changed(12, 16))).toBeUndefined();
    expect(decodeSuperBlock(encodeSuperBlock(fields).subarray(0, 127))).toBeUndefined();
  });
});

describe('device numbers', () => {
  // biome-ignore format: a table
  const DEVICES: [major: number, minor: number, encoded: number][] = [
    [0,    0,         0x00000000],
    [1,    3,         0x00000103],
    [8,    255,       0x000008ff],
    [8,    256,       0x00100800],
    [259,  1000,      0x3103e8],
    [4095, 1_048_575, 0xffffffff],
  ];
  for (const [major, minor, encoded] of DEVICES) {
    it(`are encoded as the kernel does: ${major}:${minor}`, () => {
      expect(encodeDevice(major, minor)).toBe(encoded);
      expect(decodeDevice(encoded)).toEqual({ major, minor });
    });
  }
});

describe('names of extended attributes', () => {
  it('are split into a number and a rest, and joined again', () => {
    const split = {
      'user.a': [1, 'a'],
      'trusted.a.b': [4, 'a.b'],
      'security.capability': [6, 'capability'],
    } as const;
    for (const [name, [index, suffix]] of Object.entries(split)) {
      expect(splitXattrName(name)).toEqual({ index, suffix });
      expect(joinXattrName(index, suffix)).toBe(name);
    }
    expect(splitXattrName('system.posix_acl_default')).toEqual({ index: 3, suffix: '' });
    expect(splitXattrName('lustre.a')).toBeUndefined();
    expect(joinXattrName(5, 'a')).toBeUndefined();
  });
});

describe('directories', () => {
  const entries = [
    { name: '.', nid: 2, type: 2 },
    { name: '..', nid: 1, type: 2 },
    { name: 'file', nid: 0x01020304, type: 1 },
  ];

  it('are dirents, then names', () => {
    const encoded = encodeDirectory(entries, 512);
    expect(encoded.toString('hex')).toBe(
      '0200000000000000' +
        '2400' +
        '0200' +
        '0100000000000000' +
        '2500' +
        '0200' +
        '0403020100000000' +
        '2700' +
        '0100' +
        Buffer.from('...file').toString('hex'),
    );
    expect([...decodeDirectory(encoded, 512)]).toEqual(entries);
  });

  it('begin a new block before an entry that does not fit', () => {
    const many = Array.from({ length: 100 }, (_, n) => ({
      name: `name-${n}`.padEnd(100 + n, '.'),
      nid: n,
      type: 1,
    }));
    const encoded = encodeDirectory(many, 512);
    expect(encoded.length).toBe(
      directorySize(
        many.map(({ name }) => name),
        512,
      ),
    );
    expect([...decodeDirectory(encoded, 512)]).toEqual(many);
    // An entry that fills a block to its last byte has no NUL behind its name.
    const exact = [200, 276].map((length, n) => ({ name: 'n'.repeat(length), nid: n, type: 1 }));
    expect(encodeDirectory(exact, 512).length).toBe(500);
    const full = [212, 276].map((length, n) => ({ name: 'n'.repeat(length), nid: n, type: 1 }));
    expect(encodeDirectory([...full, ...entries], 512).length).toBe(512 + 36 + 7);
    expect([...decodeDirectory(encodeDirectory([...full, ...entries], 512), 512)]).toEqual([
      ...full,
      ...entries,
    ]);
  });
});
