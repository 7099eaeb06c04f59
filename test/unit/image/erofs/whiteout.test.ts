import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LayerError } from '../../../../image/layer/error.ts';
import { buildImage, type Listing, listImage, shapeOf } from '../../../support/layer-image.ts';
import { hides, plainEntry, type RandomEntry, textOf } from '../../../support/random-layers.ts';
import * as tar from '../../../support/tar-maker.ts';

async function listingOf(...entries: Buffer[]): Promise<Listing> {
  using built = await buildImage(tar.archive(...entries));
  return listImage(built.image);
}

const shape = async (...entries: Buffer[]): Promise<string[]> =>
  shapeOf(await listingOf(...entries)).filter((name) => name !== '/');

async function refusal(...entries: Buffer[]): Promise<string> {
  try {
    await listingOf(...entries);
  } catch (error) {
    if (error instanceof LayerError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'taken';
}

const OPAQUE = { 'trusted.overlay.opaque': '79' };

describe('whiteouts (L-03)', () => {
  it('become devices 0:0 of the name that they hide', async () => {
    const listing = await listingOf(
      tar.file('d/.wh.gone'),
      tar.file('.wh.other', '', { mode: 0o777, uid: 5 }),
    );
    const whiteout = { type: 'character', rdev: '0:0', mode: 0, uid: 0 };
    expect(listing['d/gone']).toMatchObject(whiteout);
    expect(listing.other).toMatchObject(whiteout);
    expect(Object.keys(listing)).toHaveLength(4);
  });

  it('do not hide what the layer has itself, wherever in the archive they are', async () => {
    const [whiteout, file] = [tar.file('.wh.x'), tar.file('x', 'content')];
    expect(await shape(whiteout, file)).toEqual(['x']);
    expect(await shape(file, whiteout)).toEqual(['x']);
  });

  it('make a directory of the same name opaque, in either order', async () => {
    const [whiteout, directory, child] = [tar.file('.wh.d'), tar.directory('d'), tar.file('d/x')];
    const orders = [
      [whiteout, directory, child],
      [directory, child, whiteout],
      [whiteout, child],
      [child, whiteout],
    ];
    for (const entries of orders) {
      const listing = await listingOf(...entries);
      expect(shapeOf(listing)).toEqual(['/', 'd/', 'd/x']);
      expect(listing.d?.xattrs).toEqual(OPAQUE);
    }
    expect((await listingOf(directory, child)).d?.xattrs).toBeUndefined();
  });

  it('may be hard links, as AUFS made them, and bring no content', async () => {
    expect(await shape(tar.file('.wh.a', 'content'), tar.hardlink('.wh.b', '.wh..wh.aufs'))).toEqual([
      'a (whiteout)',
      'b (whiteout)',
    ]);
  });

  it('follow links of this layer inside the root, and hide nothing elsewhere', async () => {
    expect(await shape(tar.symlink('l', '/../../d'), tar.file('l/.wh.x'))).toEqual([
      'd/',
      'd/x (whiteout)',
      'l -> /../../d',
    ]);
  });

  it('in a file of this layer hide nothing, and leave the file', async () => {
    expect(await shape(tar.file('f', 'content'), tar.file('f/.wh.x'))).toEqual(['f']);
  });

  it('of a directory count beside whiteouts in it, in either order', async () => {
    const [directory, child] = [tar.file('.wh.d'), tar.file('d/e/.wh.x')];
    expect(await shape(directory, child)).toEqual(['d (whiteout)']);
    expect(await shape(child, directory)).toEqual(['d (whiteout)']);
    expect(await shape(child)).toEqual(['d/', 'd/e/', 'd/e/x (whiteout)']);
  });

  it('in a directory that is replaced are forgotten', async () => {
    expect(await shape(tar.file('d/.wh.x'), tar.file('d'))).toEqual(['d']);
  });

  for (const name of ['.wh.', '.wh..', '.wh...', 'd/.wh.', 'd/.wh..', 'd/.wh...']) {
    it(`are refused when they name nothing: ${name}`, async () => {
      expect(await refusal(tar.file(name))).toBe(
        `REFUSED: cannot take whiteout "${name}": it does not name anything that could be hidden`,
      );
    });
  }

  for (const name of ['.wh.x/y', '.wh.x/y/z', 'd/.wh.x/.wh.y', '.wh..wh..opq/x']) {
    it(`are refused as directories: ${name}`, async () => {
      expect(await refusal(tar.file(name))).toBe(
        `REFUSED: cannot take whiteout "${name}": a whiteout has nothing in it`,
      );
    });
  }

  it('are refused as anything but a file', async () => {
    const as = (typeflag: string) => refusal(tar.entry('.wh.x', { typeflag, linkName: 't', devMajor: 1 }));
    expect(await as('2')).toBe('REFUSED: cannot take whiteout ".wh.x": a whiteout is not a symlink');
    expect(await as('3')).toBe('REFUSED: cannot take whiteout ".wh.x": a whiteout is not a character');
    expect(await as('5')).toBe('REFUSED: cannot take whiteout ".wh.x": a whiteout is not a directory');
    expect(await as('0')).toBe('taken');
  });

  it('are told from names that only begin alike', async () => {
    expect(await shape(tar.file('.wh'), tar.file('.whx'), tar.file('x.wh.y'), tar.file('.wh..x'))).toEqual([
      '.wh',
      '.whx',
      '.x (whiteout)',
      'x.wh.y',
    ]);
  });

  it('of AUFS itself mean nothing', async () => {
    const aufs = [
      tar.file('.wh..wh.aufs'),
      tar.directory('.wh..wh.plnk'),
      tar.file('.wh..wh.plnk/12.34', 'x'),
    ];
    expect(await shape(...aufs, tar.file('kept', 'content'))).toEqual(['kept']);
  });
});

describe('whiteouts among other entries', () => {
  it('mean the same wherever they are', async () => {
    const listed = async (entries: readonly RandomEntry[]): Promise<Listing> =>
      listingOf(...entries.map(({ bytes }) => bytes));
    await fc.assert(
      fc.asyncProperty(fc.array(plainEntry, { minLength: 2, maxLength: 8 }), async (entries) => {
        const others = entries.filter((entry) => !hides(entry));
        const first = [...entries.filter(hides), ...others];
        const last = [...others, ...entries.filter(hides)];
        const expected = await listed(entries);
        expect(await listed(first), textOf([entries])).toEqual(expected);
        expect(await listed(last), textOf([entries])).toEqual(expected);
      }),
    );
  });
});

describe('opaque markers', () => {
  const marker = tar.file('d/.wh..wh..opq');
  const inside = [tar.directory('d'), tar.file('d/x')];

  it('make their directory opaque and leave what the layer has in it, wherever they are', async () => {
    for (const entries of [
      [marker, ...inside],
      [...inside, marker],
    ]) {
      const listing = await listingOf(...entries);
      expect(shapeOf(listing)).toEqual(['/', 'd/', 'd/x']);
      expect(listing.d?.xattrs).toEqual(OPAQUE);
    }
  });

  it('make whiteouts beside them needless', async () => {
    expect(await shape(marker, tar.file('d/.wh.y'), tar.file('d/e/.wh.z'))).toEqual(['d/']);
  });

  it('never mark what a link outside leads to', async () => {
    const listing = await listingOf(tar.symlink('l', '/../../../etc'), tar.file('l/.wh..wh..opq'));
    expect(shapeOf(listing)).toEqual(['/', 'etc/', 'l -> /../../../etc']);
    expect(listing.etc?.xattrs).toEqual(OPAQUE);
  });

  it('in the root are reported, because overlayfs does not look there', async () => {
    using built = await buildImage(tar.archive(tar.file('.wh..wh..opq'), tar.file('x')));
    expect(built.layer.hidesBelow).toBe(true);
    using other = await buildImage(tar.archive(marker, tar.file('x')));
    expect(other.layer.hidesBelow).toBe(false);
  });
});

describe('extended attributes (L-04)', () => {
  const withXattrs = (...names: string[]) => names.map((name) => [`SCHILY.xattr.${name}`, 'value'] as const);
  const xattrsOf = async (entry: Buffer): Promise<string[]> =>
    Object.keys(Object.values(await listingOf(entry))[1]?.xattrs ?? {});

  it('of overlayfs are escaped, so that a layer cannot use them', async () => {
    const names = [
      'trusted.overlay.opaque',
      'trusted.overlay.redirect',
      'trusted.overlay.metacopy',
      'user.overlay.opaque',
    ];
    expect(await xattrsOf(tar.directory('d', { pax: withXattrs(...names) }))).toEqual([
      'trusted.overlay.overlay.metacopy',
      'trusted.overlay.overlay.opaque',
      'trusted.overlay.overlay.redirect',
      'user.overlay.overlay.opaque',
    ]);
  });

  it('of the security namespace are those that files need', async () => {
    const names = ['capability', 'selinux', 'ima', 'evm', 'apparmor', 'SMACK64'].map(
      (name) => `security.${name}`,
    );
    expect(await xattrsOf(tar.file('f', '', { pax: withXattrs(...names) }))).toEqual(['security.capability']);
  });

  it('of other kinds are kept where the kernel knows them', async () => {
    const names = [
      'user.mime',
      'trusted.mine',
      'system.posix_acl_access',
      'system.posix_acl_default',
      'system.nfs4_acl',
      'os2.x',
      'user',
    ];
    expect(await xattrsOf(tar.file('f', '', { pax: withXattrs(...names) }))).toEqual([
      'system.posix_acl_access',
      'system.posix_acl_default',
      'trusted.mine',
      'user.mime',
    ]);
    expect(await xattrsOf(tar.symlink('s', 't', { pax: withXattrs('user.mime', 'trusted.mine') }))).toEqual([
      'trusted.mine',
    ]);
  });
});
