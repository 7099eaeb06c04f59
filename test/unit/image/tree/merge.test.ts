import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LayerEntry } from '../../../../image/layer/entry.ts';
import { DEFAULT_LIMITS } from '../../../../image/layer/limits.ts';
import { cleanPath } from '../../../../image/layer/path.ts';
import { MergedTree } from '../../../../image/tree/merge.ts';
import type { Directory, Name, Node } from '../../../../image/tree/node.ts';
import { failureOf } from '../../../support/image/messages.ts';

const attributes = (mode = 0o644) => ({
  mode,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  xattrs: [],
});
const at = (path: string) => cleanPath(path, DEFAULT_LIMITS);

const dir = (path: string, mode = 0o755): LayerEntry => ({
  kind: 'directory',
  path: at(path),
  attributes: attributes(mode),
});
const link = (path: string, target: string): LayerEntry => ({
  kind: 'symlink',
  path: at(path),
  attributes: attributes(),
  target,
});
const hard = (path: string, target: string): LayerEntry => ({
  kind: 'hardlink',
  path: at(path),
  target: at(target),
});
const gone = (path: string): LayerEntry => ({ kind: 'whiteout', path: at(path) });
const opaque = (parent: string): LayerEntry => ({ kind: 'opaque', path: { parent, name: '' } });
/** A file whose size tells it from others. */
const file = (path: string, size = 1): LayerEntry => ({
  kind: 'file',
  path: at(path),
  attributes: attributes(),
  content: { size, storedOffset: 0, storedBytes: size, sparse: undefined },
});

function merge(...layers: readonly (readonly LayerEntry[])[]): MergedTree {
  const tree = new MergedTree();
  for (const layer of layers) {
    tree.beginLayer();
    for (const entry of layer) tree.apply(entry);
  }
  return tree;
}

/** `d/` directories, `l -> t` links, `f:3` files of 3 bytes; a directory's mode if it is not 755. */
function shape(directory: Directory, prefix = ''): string[] {
  return [...directory.children].sort().flatMap(([name, child]) => describeNode(`${prefix}${name}`, child));
}

function describeNode(path: string, { node }: Name): string[] {
  if (node.kind === 'symlink') return [`${path} -> ${node.target}`];
  if (node.kind === 'file') return [`${path}:${node.content.size}`];
  if (node.kind !== 'directory') return [path];
  const mode = node.attributes.mode === 0o755 ? '' : node.attributes.mode.toString(8);
  return [`${path}/${mode}`, ...shape(node, `${path}/`)];
}

const shapeOf = (...layers: readonly (readonly LayerEntry[])[]): string[] => shape(merge(...layers).root);

describe('MergedTree and parents', () => {
  // biome-ignore format: a table
  const CASES: [what: string, layers: LayerEntry[][], shape: string[]][] = [
    ['makes those that are missing',              [[file('a/b/c')]],                                          ['a/', 'a/b/', 'a/b/c:1']],
    ['keeps those that are there',                [[dir('a', 0o700), file('a/x')], [file('a/y')]],            ['a/700', 'a/x:1', 'a/y:1']],
    ['follows links of the layers below',         [[dir('usr'), dir('usr/lib'), link('lib', 'usr/lib')], [file('lib/x')]],  ['lib -> usr/lib', 'usr/', 'usr/lib/', 'usr/lib/x:1']],
    ['follows absolute links inside the root',    [[dir('usr'), link('lib', '/usr')], [file('lib/x')]],       ['lib -> /usr', 'usr/', 'usr/x:1']],
    ['does not climb out of the root',            [[link('l', '../../..'), file('l/x')]],                     ['l -> ../../..', 'x:1']],
    ['makes what a dangling link leads to',       [[link('l', 'a/b')], [file('l/y')]],                        ['a/', 'a/b/', 'a/b/y:1', 'l -> a/b']],
    ['follows links in links',                    [[dir('d'), link('a', 'b'), link('b', './c/..//d/.'), dir('c'), file('a/x')]], ['a -> b', 'b -> ./c/..//d/.', 'c/', 'd/', 'd/x:1']],
    ['notices when a link leads elsewhere',       [[dir('d'), dir('e'), link('l', 'd'), file('l/x'), link('l', 'e'), file('l/y')]], ['d/', 'd/x:1', 'e/', 'e/y:1', 'l -> e']],
    ['notices when a directory becomes another',  [[file('a/x'), file('a'), dir('a'), file('a/y')]],          ['a/', 'a/y:1']],
  ];
  for (const [what, layers, expected] of CASES) it(what, () => expect(shapeOf(...layers)).toEqual(expected));

  it('refuses what is no directory, and links in circles', async () => {
    expect(await failureOf(() => merge([file('x')], [file('x/y')]))).toBe(
      'cannot take what is in "x": the path leads through what is no directory',
    );
    expect(await failureOf(() => merge([link('a', 'b'), link('b', 'a'), file('a/x')]))).toBe(
      'cannot take what is in "a": the path leads through too many symbolic links',
    );
  });

  it('refuses to nest without end through links', async () => {
    const deep = Array.from({ length: 1000 }, () => 'd').join('/');
    expect(shapeOf([dir(deep)])).toHaveLength(1000);
    const chained = [dir(deep), link('l', deep), dir(`l/${deep}`)];
    expect(await failureOf(() => merge(chained))).toBe('cannot take directories nested deeper than 1024');
  });
});

describe('MergedTree and entries on entries', () => {
  // biome-ignore format: a table
  const CASES: [what: string, layers: LayerEntry[][], shape: string[]][] = [
    ['a directory changes one below',            [[dir('a', 0o700), file('a/x')], [dir('a', 0o711)]],         ['a/711', 'a/x:1']],
    ['a directory replaces a link below',        [[dir('d'), file('d/x'), link('l', 'd')], [dir('l', 0o700)]], ['d/', 'd/x:1', 'l/700']],
    ['a file replaces a directory',              [[dir('a'), file('a/x')], [file('a', 5)]],                   ['a:5']],
    ['a link replaces a directory',              [[dir('a'), file('a/x')], [link('a', 'b')]],                 ['a -> b']],
    ['a directory replaces a file',              [[file('a', 5)], [dir('a'), file('a/x')]],                   ['a/', 'a/x:1']],
    ['the last of a name counts',                [[file('a', 1), file('a', 2)]],                              ['a:2']],
    ['the root is described',                    [[dir('.', 0o700), file('a')]],                              ['a:1']],
  ];
  for (const [what, layers, expected] of CASES) it(what, () => expect(shapeOf(...layers)).toEqual(expected));

  it('keeps the node of a hard link whose other name is replaced', () => {
    expect(shapeOf([file('a', 1), hard('b', 'a'), file('a', 2)])).toEqual(['a:2', 'b:1']);
  });

  it('links what is in a layer below, through links, and links to links', () => {
    const { root } = merge([dir('d'), file('d/a', 3), link('s', 'd')], [hard('b', 's/a'), hard('c', 's')]);
    expect(shape(root)).toEqual(['b:3', 'c -> d', 'd/', 'd/a:3', 's -> d']);
    const nodeAt = (directory: Directory, name: string): Node | undefined =>
      directory.children.get(name)?.node;
    expect(nodeAt(root, 'b')).toBe(nodeAt(nodeAt(root, 'd') as Directory, 'a'));
  });

  // biome-ignore format: a table
  const REFUSED: [entries: LayerEntry[], message: RegExp][] = [
    [[hard('b', 'a')],                                   /^cannot take "b": there is no file "a" to link to$/],
    [[dir('a'), hard('b', 'a')],                         /there is no file "a" to link to$/],
    [[dir('d'), file('d/a'), hard('d', 'd/a')],          /^cannot take "d": the link replaces the directory that its target is in$/],
    [[dir('d'), file('d/a'), link('s', 'd'), hard('s/a', 'd/a')], /^cannot take "s\/a": a hard link to itself$/],
    [[link('l', '../etc'), hard('b', 'l/passwd')],       /there is no file "l\/passwd" to link to$/],
  ];
  for (const [entries, message] of REFUSED) {
    it(`refuses ${String(message)}`, async () =>
      expect(await failureOf(() => merge(entries))).toMatch(message));
  }
});

describe('MergedTree and whiteouts', () => {
  const BELOW = [dir('x', 0o700), file('x/a'), dir('x/s', 0o711), file('x/s/b'), file('y')];

  // biome-ignore format: a table
  const CASES: [what: string, layer: LayerEntry[], shape: string[]][] = [
    ['of a file',                               [gone('y')],                        ['x/700', 'x/a:1', 'x/s/711', 'x/s/b:1']],
    ['of a directory',                          [gone('x')],                        ['y:1']],
    ['of nothing',                              [gone('z'), gone('n/z'), opaque('n')], ['x/700', 'x/a:1', 'x/s/711', 'x/s/b:1', 'y:1']],
    ['before a file of its own',                [gone('y'), file('y', 2), gone('x')], ['y:2']],
    ['after a file of its own',                 [file('y', 2), gone('y'), gone('x')], ['y:2']],
    ['before entries in the directory',         [gone('x'), file('x/n'), gone('y')], ['x/', 'x/n:1']],
    ['after entries in the directory',          [file('x/n'), gone('x'), gone('y')], ['x/', 'x/n:1']],
    ['of a directory that is described again',  [dir('x', 0o750), gone('x'), gone('y')], ['x/750']],
    ['opaque, before entries',                  [opaque('x'), file('x/n'), gone('y')], ['x/700', 'x/n:1']],
    ['opaque, after entries',                   [file('x/n'), opaque('x'), gone('y')], ['x/700', 'x/n:1']],
    ['opaque, above an entry further in',       [file('x/s/n'), opaque('x'), gone('y')], ['x/700', 'x/s/', 'x/s/n:1']],
    ['opaque, of the root',                     [file('n'), opaque('')],            ['n:1']],
    ['in what the same layer makes a file',     [file('x'), gone('x/a'), opaque('x/s'), gone('y')], ['x:1']],
  ];
  for (const [what, layer, expected] of CASES)
    it(what, () => expect(shapeOf(BELOW, layer)).toEqual(expected));

  it('hide through links, inside the root', () => {
    expect(shapeOf([dir('d'), file('d/a'), file('d/b'), link('l', '/d')], [gone('l/a')])).toEqual([
      'd/',
      'd/b:1',
      'l -> /d',
    ]);
    expect(shapeOf([dir('d'), file('d/a'), link('l', 'd')], [opaque('l')])).toEqual(['d/', 'l -> d']);
    expect(shapeOf([dir('d'), file('d/a'), link('l', 'd')], [gone('l')])).toEqual(['d/', 'd/a:1']);
  });

  it('mean the same wherever in a layer they stand', () => {
    const names = ['x', 'x/a', 'x/s', 'x/s/b', 'y', 'z'];
    const whiteouts = fc.array(
      fc.oneof(fc.constantFrom(...names).map(gone), fc.constantFrom('x', 'x/s').map(opaque)),
    );
    const files = fc.uniqueArray(fc.constantFrom('x/n', 'x/s/n', 'y', 'z'));
    fc.assert(
      fc.property(whiteouts, files, fc.array(fc.nat()), (hiding, added, order) => {
        const own = added.map((path) => file(path, 9));
        const mixed = [...own, ...hiding]
          .map((entry, index) => ({ entry, key: order[index] ?? index }))
          .sort((a, b) => a.key - b.key)
          .map(({ entry }) => entry);
        expect(shapeOf(BELOW, mixed)).toEqual(shapeOf(BELOW, [...hiding, ...own]));
      }),
    );
  });

  it('cost no more the more often they are said', () => {
    const many = Array.from({ length: 20_000 }, (_, n) => file(`x/f${n}`));
    const own = Array.from({ length: 20_000 }, (_, n) => file(`x/g${n}`));
    const markers = Array.from({ length: 20_000 }, () => [opaque('x'), gone('x')]).flat();
    const start = performance.now();
    expect(shapeOf([dir('x'), ...many], [...own, ...markers])).toHaveLength(20_001);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
