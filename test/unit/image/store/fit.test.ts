import { describe, expect, it } from 'vitest';
import type { ErofsLayer } from '../../../../image/erofs/sink.ts';
import type { LowerNode, LowerTree } from '../../../../image/layer/lower-tree.ts';
import { type Fit, fitAbove } from '../../../../image/store/fit.ts';

const node = (kind: LowerNode['kind'], mode: number): LowerNode => ({
  kind,
  mode,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  xattrs: [],
  size: 0,
  target: '',
  major: 0,
  minor: 0,
  read: () => {},
  child: () => undefined,
});

const plain = node('directory', 0o755);
const other = node('directory', 0o700);

const tree = (nodes: Readonly<Record<string, LowerNode>>): LowerTree => ({ lookup: (path) => nodes[path] });

const layer = (needs: Partial<ErofsLayer>): ErofsLayer => ({
  blockSize: 512,
  imageSize: 0,
  inodes: 0,
  describesRoot: false,
  hidesBelow: false,
  implied: [],
  linksBelow: [],
  hiding: [],
  ...needs,
});

function fitOf(
  needs: Partial<ErofsLayer>,
  lower: Readonly<Record<string, LowerNode>>,
  merged: Readonly<Record<string, LowerNode>> = lower,
): Fit {
  return fitAbove(
    layer(needs),
    () => tree(lower),
    () => tree(merged),
  );
}

/** A correction as a word: the path with its mode, or with a minus for a whiteout. */
function words(result: Fit): string[] | string {
  if (result.kind !== 'with') return result.kind;
  return result.entries.map((entry) => {
    const path = [entry.path.parent, entry.path.name].filter((part) => part !== '').join('/');
    return entry.kind === 'directory' ? `${path} ${entry.attributes.mode.toString(8)}` : `-${path}`;
  });
}

const content = (path: string) => ({ path, for: 'content' as const });
const whiteouts = (path: string) => ({ path, for: 'whiteouts' as const });

describe('fitAbove()', () => {
  it('opens nothing for a layer that asks for nothing', () => {
    const never = (): LowerTree => {
      throw new Error('looked below');
    };
    expect(fitAbove(layer({}), never, never)).toEqual({ kind: 'as-is' });
  });

  // biome-ignore format: a table
  const CASES: [what: string, needs: Partial<ErofsLayer>, lower: Record<string, LowerNode>, expected: string[] | string][] = [
    ['a directory that is like the guess',          { implied: [content('d')] },                         { d: plain },                         'as-is'],
    ['a directory that is nowhere below',           { implied: [content('d')] },                         {},                                   'as-is'],
    ['a directory of other attributes',             { implied: [content('d')] },                         { d: other },                         ['d 700']],
    ['the same, where only whiteouts are in it',    { implied: [whiteouts('d')], hiding: ['d'] },        { d: other },                         ['d 700']],
    ['whiteouts in a directory that is not there',  { implied: [whiteouts('d')], hiding: ['d'] },        {},                                   ['-d']],
    ['whiteouts in what is a file below',           { implied: [whiteouts('d')], hiding: ['d'] },        { d: node('file', 0o644) },           'anew'],
    ['content behind a link below',                 { implied: [content('d')] },                         { d: node('symlink', 0o777) },        'anew'],
    ['one of each',                                 { implied: [content('a'), content('d')] },           { a: node('symlink', 0o777), d: other }, 'anew'],
    ['a link to a file below',                      { linksBelow: [{ path: 'a', target: 'b' }] },        { b: node('file', 0o644) },           'anew'],
    ['whiteouts in a new directory',                { hiding: ['d'] },                                   {},                                   'anew'],
    ['whiteouts in a directory below',              { hiding: ['d'] },                                   { d: other },                         'as-is'],
  ];
  for (const [what, needs, lower, expected] of CASES) {
    it(what, () => expect(words(fitOf(needs, lower))).toEqual(expected));
  }

  it('says again what the directories on the way to a correction are', () => {
    const lower = { a: other, 'a/b': other, 'a/b/c': other };
    const merged = { ...lower, a: node('directory', 0o711) };
    expect(words(fitOf({ implied: [content('a/b/c')] }, lower, merged))).toEqual([
      'a/b/c 700',
      'a/b 700',
      'a 711',
    ]);
  });
});
