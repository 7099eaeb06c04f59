import { describe, expect, it } from 'vitest';
import type { ErofsOptions } from '../../../../image/erofs/sink.ts';
import { LayerError } from '../../../../image/layer/error.ts';
import { DEFAULT_LIMITS, type LayerLimits } from '../../../../image/layer/limits.ts';
import { buildImage, type Listing, listImage, shapeOf } from '../../../support/layer-image.ts';
import * as tar from '../../../support/tar-maker.ts';

async function listingOf(entries: readonly Buffer[], options: ErofsOptions = {}): Promise<Listing> {
  using built = await buildImage(tar.archive(...entries), options);
  return listImage(built.image);
}

const shape = async (...entries: Buffer[]): Promise<string[]> =>
  shapeOf(await listingOf(entries)).filter((name) => name !== '/');

async function refusal(...entries: Buffer[]): Promise<string> {
  try {
    await listingOf(entries);
  } catch (error) {
    if (error instanceof LayerError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'taken';
}

describe('paths of entries (L-01)', () => {
  // biome-ignore format: a table
  const INSIDE: [name: string, expected: string[]][] = [
    ['/abs',         ['abs']],
    ['//abs//b',     ['abs/', 'abs/b']],
    ['./a/./b',      ['a/', 'a/b']],
    ['a/../b',       ['b']],
    ['a/b/../../c',  ['c']],
    ['...',          ['...']],
    ['..a/b..',      ['..a/', '..a/b..']],
    ['a\nb',         ['a\nb']],
    ['a\\..\\b',     ['a\\..\\b']],
    ['n'.repeat(255).slice(0, 100), ['n'.repeat(100)]],
  ];
  for (const [name, expected] of INSIDE) {
    it(`are inside the root: ${JSON.stringify(name).slice(0, 40)}`, async () => {
      expect(await shape(tar.file(name))).toEqual(expected);
    });
  }

  for (const name of ['..', '../x', '/../x', 'a/../../x', './../x', 'a/b/../../../x']) {
    it(`are refused when they lead out: ${name}`, async () => {
      expect(await refusal(tar.file(name))).toBe(`REFUSED: cannot take "${name}": it leads out of the root`);
      expect(await refusal(tar.hardlink('link', name))).toBe(
        `REFUSED: cannot take "${name}": it leads out of the root`,
      );
    });
  }

  for (const name of ['.', './', '/', '/.', 'a/..']) {
    it(`mean the root as a directory, and nothing else: ${name} (CVE-2021-29136)`, async () => {
      expect(await refusal(tar.symlink(name, '/etc'), tar.file('passwd'))).toBe(
        `REFUSED: cannot take "${name}": the root is a directory and not a symlink`,
      );
      expect(await refusal(tar.file(name))).toBe(
        `REFUSED: cannot take "${name}": the root is a directory and not a file`,
      );
      const listing = await listingOf([tar.directory(name, { mode: 0o711 }), tar.file('x')]);
      expect(shapeOf(listing)).toEqual(['/', 'x']);
      expect(listing['']?.mode).toBe(0o711);
    });
  }

  it('may have components of 255 bytes and no more', async () => {
    const named = (bytes: number) => tar.file('', '', { pax: [['path', `d/${'n'.repeat(bytes)}/f`]] });
    expect(await shape(named(255))).toEqual(['d/', `d/${'n'.repeat(255)}/`, `d/${'n'.repeat(255)}/f`]);
    expect(await refusal(named(256))).toMatch(
      /^LIMIT: cannot take "d\/n+…": it has a component longer than 255 bytes$/,
    );
  });

  it('may be as deep as the limit, also when links lead there', async () => {
    const options = { limits: { ...DEFAULT_LIMITS, depth: 3 } };
    expect(shapeOf(await listingOf([tar.file('a/b/c/f')], options))).toContain('a/b/c/f');
    const tooDeep = 'cannot take a layer with directories deeper than 3';
    await expect(listingOf([tar.file('a/b/c/d/f')], options)).rejects.toThrow(tooDeep);
    const throughLinks = [
      tar.directory('a/b'),
      tar.symlink('l', 'a/b'),
      tar.file('l/c/f'),
      tar.file('l/c/d/f'),
    ];
    await expect(listingOf(throughLinks, options)).rejects.toThrow(tooDeep);
  });
});

describe('limits of a tree (L-07)', () => {
  const limited = (limits: Partial<LayerLimits>) => ({ limits: { ...DEFAULT_LIMITS, ...limits } });

  it('bound directories, those that names imply too', async () => {
    const deep = (name: string) => tar.file(`${name}/${'d/'.repeat(20)}f`);
    expect(Object.keys(await listingOf([deep('a'), deep('b')], limited({ directories: 43 })))).toHaveLength(
      45,
    );
    await expect(listingOf([deep('a'), deep('b')], limited({ directories: 42 }))).rejects.toThrow(
      'cannot take a layer with more than 42 directories',
    );
  });

  it('bound the paths that an image reports', async () => {
    const entries = Array.from({ length: 10 }, (_, n) => tar.file(`${n}/${'d/'.repeat(40)}f`));
    await expect(listingOf(entries, limited({ metadataBytes: 10_000 }))).rejects.toThrow(
      'cannot note more than 10000 bytes of paths for a layer',
    );
    expect(Object.keys(await listingOf(entries, limited({ metadataBytes: 20_000 })))).toHaveLength(421);
  });

  it('bound the work that links make of paths', async () => {
    const laps = tar.symlink('l', '', { pax: [['linkpath', 'd/../'.repeat(500)]] });
    const entries = [tar.directory('d'), laps, ...Array.from({ length: 10 }, (_, n) => tar.file(`l/${n}/f`))];
    await expect(listingOf(entries, limited({ lookups: 5000 }))).rejects.toThrow(
      'cannot look up more than 5000 names for a layer',
    );
    expect(Object.keys(await listingOf(entries, limited({ lookups: 50_000 })))).toHaveLength(23);
  });
});

describe('symbolic links in the way', () => {
  // biome-ignore format: a table
  const FOLLOWED: [target: string, expected: string[]][] = [
    ['real',             ['lnk -> real', 'real/', 'real/x']],
    ['/real',            ['lnk -> /real', 'real/', 'real/x']],
    ['./real/.',         ['lnk -> ./real/.', 'real/', 'real/x']],
    ['/',                ['lnk -> /', 'x']],
    ['.',                ['lnk -> .', 'x']],
    ['../../..',         ['lnk -> ../../..', 'x']],
    ['../../../etc',     ['etc/', 'etc/x', 'lnk -> ../../../etc']],
    ['/etc/../../usr',   ['etc/', 'lnk -> /etc/../../usr', 'usr/', 'usr/x']],
    ['not/yet/there',    ['lnk -> not/yet/there', 'not/', 'not/yet/', 'not/yet/there/', 'not/yet/there/x']],
  ];
  for (const [target, expected] of FOLLOWED) {
    it(`are followed inside the root: lnk -> ${target}`, async () => {
      expect(await shape(tar.symlink('lnk', target), tar.file('lnk/x'))).toEqual(expected);
    });
  }

  it('are followed through one another', async () => {
    const entries = [tar.symlink('a', 'b'), tar.symlink('b', 'c/d'), tar.symlink('c', '/e'), tar.file('a/x')];
    expect(await shape(...entries)).toEqual(['a -> b', 'b -> c/d', 'c -> /e', 'e/', 'e/d/', 'e/d/x']);
  });

  it('are refused when they lead to themselves', async () => {
    const loop = 'REFUSED: cannot resolve "a": too many levels of symbolic links';
    expect(await refusal(tar.symlink('a', 'a'), tar.file('a/x'))).toBe(loop);
    expect(await refusal(tar.symlink('a', 'b'), tar.symlink('b', 'a/y'), tar.file('a/x'))).toBe(loop);
    const chain = (length: number) => [
      ...Array.from({ length }, (_, n) => tar.symlink(`s${n}`, `s${n + 1}`)),
      tar.file('s0/x'),
    ];
    expect(await refusal(...chain(40))).toBe('taken');
    expect(await refusal(...chain(41))).toBe(
      'REFUSED: cannot resolve "s0": too many levels of symbolic links',
    );
  });

  it('are not followed at the end of a path: the entry takes their place', async () => {
    const before = tar.symlink('a', '/etc');
    expect(await shape(before, tar.file('a'))).toEqual(['a']);
    expect(await shape(before, tar.directory('a'), tar.file('a/x'))).toEqual(['a/', 'a/x']);
    expect(await shape(before, tar.symlink('a', 'b'))).toEqual(['a -> b']);
  });

  it('do not pass on attributes of an entry to what they point to (CVE-2021-32760)', async () => {
    const listing = await listingOf([
      tar.directory('target', { mode: 0o700, uid: 7 }),
      tar.symlink('a', 'target'),
      tar.directory('a', { mode: 0o777, uid: 12 }),
    ]);
    expect(listing.target).toMatchObject({ mode: 0o700, uid: 7 });
    expect(listing.a).toMatchObject({ type: 'directory', mode: 0o777, uid: 12 });
  });

  it('have targets of 1 to 4095 bytes', async () => {
    const pointing = (bytes: number) => tar.symlink('s', '', { pax: [['linkpath', 't'.repeat(bytes)]] });
    expect(await refusal(pointing(4095))).toBe('taken');
    expect(await refusal(pointing(4096))).toMatch(/^REFUSED: cannot take "s": a symbolic link's target has/);
    expect(await refusal(tar.symlink('s', ''))).toMatch(/has 1 to 4095 bytes and not 0$/);
  });
});

describe('entries of the same path', () => {
  it('replace one another: the last one counts', async () => {
    const listing = await listingOf([
      tar.file('a', 'one'),
      tar.file('b'),
      tar.file('a', 'second', { mode: 0o600 }),
    ]);
    expect(listing.a).toMatchObject({ size: 6, mode: 0o600, nlink: 1 });
  });

  it('leave a directory what is in it, and change its attributes', async () => {
    const listing = await listingOf([
      tar.directory('d'),
      tar.file('d/x'),
      tar.directory('d', { mode: 0o700, uid: 5 }),
    ]);
    expect(shapeOf(listing)).toEqual(['/', 'd/', 'd/x']);
    expect(listing.d).toMatchObject({ mode: 0o700, uid: 5 });
  });

  it('flip between directory and file', async () => {
    const flips = [
      tar.directory('a'),
      tar.file('a/old'),
      tar.file('a'),
      tar.directory('a'),
      tar.file('a/new'),
    ];
    expect(await shape(...flips)).toEqual(['a/', 'a/new']);
    expect(await shape(...flips, tar.file('a'))).toEqual(['a']);
  });

  it('hide a directory below for good once they were something else', async () => {
    const opaque = { xattrs: { 'trusted.overlay.opaque': '79' } };
    const flipped = await listingOf([tar.file('a'), tar.directory('a')]);
    expect(flipped.a).toMatchObject(opaque);
    const implied = await listingOf([tar.file('a'), tar.file('a/x')]);
    expect(implied.a).toMatchObject(opaque);
    const plain = await listingOf([tar.directory('a'), tar.directory('a')]);
    expect(plain.a?.xattrs).toBeUndefined();
  });

  it('make a directory where a file was in the way', async () => {
    expect(await shape(tar.file('a'), tar.file('a/b/c'))).toEqual(['a/', 'a/b/', 'a/b/c']);
  });
});

describe('hard links (L-02)', () => {
  it('are one file with several names, and keep it when a name is replaced', async () => {
    const entries = [
      tar.file('a', 'content', { mode: 0o600, uid: 3 }),
      tar.hardlink('b', 'a', { mode: 0o777, uid: 9 }),
      tar.hardlink('d/c', '/b'),
      tar.file('a', 'new'),
    ];
    const listing = await listingOf(entries);
    expect(listing.b).toMatchObject({ size: 7, nlink: 2, mode: 0o600, uid: 3 });
    expect(listing['d/c']).toEqual(listing.b);
    expect(listing.a).toMatchObject({ size: 3, nlink: 1 });
  });

  it('to a symbolic link are links to the link', async () => {
    const listing = await listingOf([tar.symlink('s', '/etc/passwd'), tar.hardlink('h', 's')]);
    expect(listing.h).toMatchObject({ type: 'symlink', target: '/etc/passwd', nlink: 2 });
  });

  it('find their target through links inside the root', async () => {
    const entries = [
      tar.file('etc/passwd', 'ours'),
      tar.symlink('lnk', '/../../etc'),
      tar.hardlink('h', 'lnk/passwd'),
    ];
    expect((await listingOf(entries)).h).toMatchObject({ size: 4, nlink: 2 });
  });

  it('to a directory, the root or themselves are refused', async () => {
    expect(await refusal(tar.directory('d'), tar.hardlink('h', 'd'))).toBe(
      'REFUSED: cannot link "d" to "h": it is a directory',
    );
    expect(await refusal(tar.hardlink('h', '/'))).toBe('REFUSED: cannot take "h": a hard link to the root');
    expect(await refusal(tar.file('h'), tar.hardlink('h', './h'))).toBe(
      'REFUSED: cannot take "h": a hard link to itself',
    );
    const throughLink = [tar.file('d/h'), tar.symlink('l', 'd'), tar.hardlink('l/h', 'd/h')];
    expect(await refusal(...throughLink)).toBe('REFUSED: cannot link "d/h" to "l/h": it is the link itself');
  });

  it('may be a hundred thousand, one on the other', { timeout: 30_000 }, async () => {
    const chain = [
      tar.file('f0', 'x'),
      ...Array.from({ length: 100_000 }, (_, n) => tar.hardlink(`f${n + 1}`, `f${n}`)),
    ];
    expect((await listingOf(chain)).f100000).toMatchObject({ size: 1, nlink: 100_001 });
  });
});

describe('special files (L-08)', () => {
  it('are refused as the device that overlayfs takes for a whiteout', async () => {
    const device = (typeflag: string, devMajor: number, devMinor: number) =>
      tar.entry('dev', { typeflag, devMajor, devMinor });
    expect(await refusal(device('3', 0, 0))).toMatch(
      /^REFUSED: cannot take "dev": device 0:0 is how overlayfs says/,
    );
    expect(await refusal(device('3', 0, 1))).toBe('taken');
    expect(await refusal(device('4', 0, 0))).toBe('taken');
  });

  it('are refused with numbers that no device has', async () => {
    expect(await refusal(tar.entry('dev', { typeflag: '3', devMajor: 4096, devMinor: 0 }))).toBe(
      'REFUSED: cannot take "dev": there is no device 4096:0',
    );
    expect(
      await refusal(tar.entry('dev', { typeflag: '4', devMajor: 8, devMinor: tar.base256(-1n, 8) })),
    ).toBe('REFUSED: cannot take "dev": there is no device 8:-1');
  });
});
