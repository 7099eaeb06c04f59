import { describe, expect, it } from 'vitest';
import type { LowerTree } from '../../../../image/layer/lower-tree.ts';
import { LayerChain } from '../../../support/layer-chain.ts';
import { buildImage, listImage, shapeOf } from '../../../support/layer-image.ts';
import * as tar from '../../../support/tar-maker.ts';

const LOWER = tar.archive(
  tar.directory('./', { mode: 0o711, mtime: 5 }),
  tar.directory('usr', {
    mode: 0o750,
    uid: 1,
    gid: 2,
    pax: [
      ['mtime', '7.5'],
      ['SCHILY.xattr.user.x', 'y'],
    ],
  }),
  tar.directory('usr/lib', { mode: 0o701 }),
  tar.file('usr/lib/a', 'lower a', { mode: 0o600 }),
  tar.symlink('lib', 'usr/lib'),
  tar.symlink('up', '../../usr'),
  tar.file('file', 'lower file'),
  tar.entry('null', { typeflag: '3', devMajor: 1, devMinor: 3 }),
);

function read(tree: LowerTree, path: string): string | undefined {
  const node = tree.lookup(path);
  if (node === undefined) return undefined;
  const content = Buffer.alloc(node.size);
  node.read(0, content);
  return content.toString('latin1');
}

describe('LayerStack', () => {
  it('shows the highest of what layers have at a path', async () => {
    using chain = await LayerChain.build([
      LOWER,
      tar.archive(tar.file('file', 'upper')),
      tar.archive(tar.file('new')),
    ]);
    expect(read(chain.stack, 'file')).toBe('upper');
    expect(read(chain.stack, 'usr/lib/a')).toBe('lower a');
    expect(chain.stack.lookup('null')).toMatchObject({ kind: 'character', major: 1, minor: 3 });
    expect(chain.stack.lookup('lib')).toMatchObject({ kind: 'symlink', target: 'usr/lib' });
    expect(chain.stack.lookup('nothing')).toBeUndefined();
  });

  it('follows no symbolic link', async () => {
    using chain = await LayerChain.build([LOWER]);
    expect(chain.stack.lookup('lib/a')).toBeUndefined();
  });

  it('hides what whiteouts and opaque directories hide', async () => {
    const upper = tar.archive(
      tar.file('.wh.file'),
      tar.directory('usr'),
      tar.file('usr/.wh..wh..opq'),
      tar.file('usr/b'),
    );
    using chain = await LayerChain.build([LOWER, upper]);
    expect(chain.stack.lookup('file')).toBeUndefined();
    expect(chain.stack.lookup('usr/lib')).toBeUndefined();
    expect(chain.stack.lookup('usr/b')?.kind).toBe('file');
    expect(chain.stack.lookup('usr')?.xattrs).toEqual([]);
  });

  it('does not look through what is not a directory', async () => {
    const layers = [
      LOWER,
      tar.archive(tar.file('usr', 'in the way')),
      tar.archive(tar.directory('usr'), tar.file('usr/c')),
    ];
    using chain = await LayerChain.build(layers);
    expect(chain.stack.lookup('usr/lib')).toBeUndefined();
    expect(chain.stack.lookup('usr/c')?.kind).toBe('file');
  });

  it('has the root of the highest layer that describes it', async () => {
    using chain = await LayerChain.build([LOWER, tar.archive(tar.file('x'))]);
    expect(chain.stack.lookup('')).toMatchObject({ mode: 0o711, mtime: { seconds: 5 } });
  });
});

describe('a layer that means something of the layers below', () => {
  /** Its second layer, above LOWER. */
  async function above(...entries: Buffer[]): Promise<{ shape: string[]; chain: LayerChain }> {
    const chain = await LayerChain.build([LOWER, tar.archive(...entries)]);
    const upper = chain.images[1];
    if (upper === undefined) throw new Error('two layers were built');
    return { chain, shape: shapeOf(listImage(upper.image)).filter((name) => name !== '/') };
  }

  it('is built once if it describes all its directories', async () => {
    const { chain, shape } = await above(
      tar.directory('usr'),
      tar.directory('usr/lib'),
      tar.file('usr/lib/b'),
    );
    using _ = chain;
    expect(chain.rebuilt).toEqual([]);
    expect(shape).toEqual(['usr/', 'usr/lib/', 'usr/lib/b']);
  });

  it('is built once if the directories it implies are new', async () => {
    const { chain } = await above(tar.file('opt/app/run'));
    using _ = chain;
    expect(chain.rebuilt).toEqual([]);
    expect(chain.stack.lookup('opt/app')).toMatchObject({ mode: 0o755, uid: 0 });
  });

  it('lands where links below lead: lib/x is usr/lib/x', async () => {
    const { chain, shape } = await above(
      tar.file('lib/x', 'new'),
      tar.file('up/lib/y'),
      tar.file('lib/.wh.a'),
    );
    using _ = chain;
    expect(chain.rebuilt).toEqual([1]);
    expect(shape).toEqual(['usr/', 'usr/lib/', 'usr/lib/a (whiteout)', 'usr/lib/x', 'usr/lib/y']);
    expect(chain.stack.lookup('lib')?.kind).toBe('symlink');
    expect(read(chain.stack, 'usr/lib/x')).toBe('new');
  });

  it('replaces a link below with the directory that it describes', async () => {
    const { chain, shape } = await above(tar.directory('lib'), tar.file('lib/x'));
    using _ = chain;
    expect(chain.rebuilt).toEqual([]);
    expect(shape).toEqual(['lib/', 'lib/x']);
  });

  it('does not follow a link that it hides itself', async () => {
    const { chain, shape } = await above(tar.file('.wh.lib'), tar.file('lib/x'));
    using _ = chain;
    expect(shape).toEqual(['lib/', 'lib/x']);
    expect(chain.stack.lookup('usr/lib/x')).toBeUndefined();
  });

  it('leaves the directories it implies what they are', async () => {
    const { chain } = await above(tar.file('usr/lib/b'));
    using _ = chain;
    expect(chain.rebuilt).toEqual([1]);
    expect(chain.stack.lookup('usr')).toMatchObject({
      mode: 0o750,
      uid: 1,
      gid: 2,
      mtime: { seconds: 7, nanoseconds: 500_000_000 },
      xattrs: [{ name: 'user.x', value: Buffer.from('y') }],
    });
    expect(chain.stack.lookup('usr/lib')).toMatchObject({ mode: 0o701 });
  });

  it('hides nothing where nothing is, and makes no directory for it', async () => {
    const { chain, shape } = await above(
      tar.file('nowhere/.wh.x'),
      tar.file('usr/.wh.none'),
      tar.file('usr/lib/.wh.a'),
    );
    using _ = chain;
    expect(chain.rebuilt).toEqual([1]);
    expect(shape).toEqual(['usr/', 'usr/lib/', 'usr/lib/a (whiteout)']);
  });

  it('hides a directory below also if it hides something in it', async () => {
    for (const entries of [
      [tar.file('usr/lib/.wh.a'), tar.file('.wh.usr')],
      [tar.file('.wh.usr'), tar.file('usr/lib/.wh.a')],
    ]) {
      const { chain, shape } = await above(...entries, tar.file('lib/none/.wh.x'));
      using _ = chain;
      expect(shape).toEqual(['usr (whiteout)']);
    }
  });

  it('links to files below, which come up with it', async () => {
    const { chain, shape } = await above(tar.hardlink('copy', 'lib/a'), tar.hardlink('other', 'copy'));
    using _ = chain;
    expect(chain.rebuilt).toEqual([1]);
    expect(shape).toEqual(['copy', 'other', 'usr/', 'usr/lib/', 'usr/lib/a']);
    const listing = chain.images.map(({ image }) => listImage(image))[1];
    expect(listing?.copy).toMatchObject({ size: 7, mode: 0o600, nlink: 3 });
    expect(read(chain.stack, 'copy')).toBe('lower a');
  });

  it('links to nodes and links below too', async () => {
    const { chain } = await above(tar.hardlink('zero', 'null'), tar.hardlink('library', 'lib'));
    using _ = chain;
    expect(chain.stack.lookup('zero')).toMatchObject({ kind: 'character', major: 1, minor: 3 });
    expect(chain.stack.lookup('library')).toMatchObject({ kind: 'symlink', target: 'usr/lib' });
    const { chain: through } = await above(tar.file('lib/x'), tar.hardlink('library', 'lib'));
    using __ = through;
    expect(through.stack.lookup('library')).toMatchObject({ kind: 'symlink', target: 'usr/lib' });
  });

  it('is refused if it links to what is not there either, or is hidden, or is a directory', async () => {
    const refused = async (...entries: Buffer[]): Promise<string> => {
      const built = LayerChain.build([LOWER, tar.archive(...entries)]);
      return built.then(
        (chain) => {
          chain[Symbol.dispose]();
          return 'taken';
        },
        (error: Error) => error.message,
      );
    };
    expect(await refused(tar.hardlink('h', 'none'))).toBe('cannot link "none" to "h": there is no such file');
    expect(await refused(tar.file('.wh.file'), tar.hardlink('h', 'file'))).toBe(
      'cannot link "file" to "h": there is no such file',
    );
    expect(await refused(tar.hardlink('h', 'usr/lib'))).toBe(
      'cannot link "usr/lib" to "h": it is a directory',
    );
    expect(await refused(tar.file('usr/x'), tar.hardlink('h', 'usr'))).toBe(
      'cannot link "usr" to "h": it is a directory',
    );
    expect(await refused(tar.hardlink('h', 'file'))).toBe('taken');
  });

  it('says what it means as long as nobody tells it what is below', async () => {
    const entries = [
      tar.file('a/b/x'),
      tar.directory('c/d'),
      tar.directory('c'),
      tar.file('e/.wh.x'),
      tar.file('.wh.g'),
      tar.file('g/x'),
      tar.hardlink('h', 'below/file'),
    ];
    using built = await buildImage(tar.archive(...entries));
    expect(built.layer.implied).toEqual([
      { path: 'a', for: 'content' },
      { path: 'c', for: 'entry' },
      { path: 'e', for: 'whiteouts' },
      { path: 'a/b', for: 'content' },
    ]);
    expect(built.layer.linksBelow).toEqual([{ path: 'h', target: 'below/file' }]);
    expect(shapeOf(listImage(built.image))).not.toContain('h');
  });
});
