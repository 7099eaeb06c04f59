import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ErofsImage } from '../../../../image/erofs/image.ts';
import { buildImage } from '../../../support/layer-image.ts';
import * as tar from '../../../support/tar-maker.ts';
import { refusalOf } from '../../../support/tar-reading.ts';

function openBytes(bytes: Buffer): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'hull-image-'));
  writeFileSync(path.join(folder, 'image'), bytes);
  const fd = openSync(path.join(folder, 'image'), 'r');
  try {
    return refusalOf(() => new ErofsImage(fd).root);
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

describe('ErofsImage', () => {
  it('refuses what the sink did not write', () => {
    const noSuperBlock = 'MALFORMED: cannot read layer image: it has no super block that hull writes';
    expect(openBytes(Buffer.alloc(8192))).toBe(noSuperBlock);
    expect(openBytes(Buffer.alloc(100))).toBe('MALFORMED: cannot read layer image: it is cut off');
  });

  it('looks names up, reads parts of files, and nothing beyond them', async () => {
    using built = await buildImage(tar.archive(tar.file('d/f', 'content'), tar.symlink('l', 'd')));
    const { image } = built;
    const directory = image.lookup(image.root, 'd');
    const file = directory && image.lookup(directory, 'f');
    if (file === undefined) throw new Error('d/f is there');
    const part = Buffer.alloc(3);
    image.read(file, 3, part);
    expect(part.toString()).toBe('ten');
    expect(() => image.read(file, 5, part)).toThrow('a read beyond the end of a file');
    expect(image.lookup(image.root, 'f')).toBeUndefined();
    const link = image.lookup(image.root, 'l');
    expect(link && image.symlinkTarget(link)).toBe('d');
  });
});
