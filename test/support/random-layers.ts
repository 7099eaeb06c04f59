// Layers with few names, so that their entries meet: over one another, through links, in whiteouts.
import fc from 'fast-check';
import * as tar from './tar-maker.ts';

export interface RandomEntry {
  readonly kind: 'directory' | 'file' | 'symlink' | 'hardlink' | 'whiteout' | 'opaque';
  readonly text: string;
  readonly bytes: Buffer;
}

const name = fc.constantFrom('a', 'b', 'c', 'd');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const target = fc.constantFrom('d', '../d', '/b', 'a/b', '../../c', '/', '.');
const fields = fc.record({
  mode: fc.constantFrom(0o755, 0o700, 0o4711),
  uid: fc.integer({ min: 0, max: 3 }),
  mtime: fc.integer({ min: 1, max: 1000 }),
});

const entryOf = (kind: RandomEntry['kind'], text: string, bytes: Buffer): RandomEntry => ({
  kind,
  text,
  bytes,
});

const directory = fc.tuple(path, fields).map(([at, all]) => entryOf('directory', at, tar.directory(at, all)));
const file = fc
  .tuple(path, fields, fc.string({ maxLength: 5 }))
  .map(([at, all, content]) => entryOf('file', at, tar.file(at, content, all)));
const symlink = fc
  .tuple(path, target)
  .map(([at, to]) => entryOf('symlink', `${at} -> ${to}`, tar.symlink(at, to, { mtime: 5 })));
const hardlink = fc
  .tuple(path, fc.constantFrom('a', 'b', 'a/b'))
  .map(([at, to]) => entryOf('hardlink', `${at} => ${to}`, tar.hardlink(at, to)));
const whiteout = path.map((at) => {
  const marker = at.replace(/[^/]+$/, '.wh.$&');
  return entryOf('whiteout', marker, tar.file(marker));
});
const opaque = path.map((at) => entryOf('opaque', at, tar.file(`${at}/.wh..wh..opq`)));

const plain = [
  { weight: 4, arbitrary: directory },
  { weight: 8, arbitrary: file },
  { weight: 4, arbitrary: whiteout },
  { weight: 1, arbitrary: opaque },
] as const;

/** Entries without links. */
export const plainEntry: fc.Arbitrary<RandomEntry> = fc.oneof(...plain);

export const anyEntry: fc.Arbitrary<RandomEntry> = fc.oneof(
  ...plain,
  { weight: 2, arbitrary: symlink },
  { weight: 1, arbitrary: hardlink },
);

export const hides = ({ kind }: RandomEntry): boolean => kind === 'whiteout' || kind === 'opaque';

export const archiveOf = (entries: readonly RandomEntry[]): Buffer =>
  tar.archive(...entries.map(({ bytes }) => bytes));

export const textOf = (layers: readonly (readonly RandomEntry[])[]): string =>
  layers.map((entries) => entries.map(({ kind, text }) => `${kind} ${text}`).join(', ')).join(' | ');
