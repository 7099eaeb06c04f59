import {
  chmodSync,
  chownSync,
  mkdirSync,
  realpathSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../../../image/store/store.ts';
import { failureOf } from '../../../support/image/messages.ts';
import { Scratch } from '../../../support/image/scratch.ts';

describe('openStore()', () => {
  it('makes what is missing, for this user alone, and opens it again', () => {
    using scratch = new Scratch();
    const root = scratch.join('var/lib/hull');
    const umask = process.umask(0);
    try {
      openStore(root);
    } finally {
      process.umask(umask);
    }
    const store = openStore(root);
    expect(store.path).toBe(path.join(realpathSync(root), 'image'));
    for (const directory of [root, store.path, store.directory('layers'), store.directory('staging')]) {
      expect(statSync(directory).mode & 0o7777).toBe(0o700);
    }
  });

  it('follows a link to the root, which is the administrator’s to make', () => {
    using scratch = new Scratch();
    mkdirSync(scratch.join('disk'), { mode: 0o700 });
    symlinkSync('disk', scratch.join('hull'));
    expect(openStore(scratch.join('hull')).path).toBe(path.join(realpathSync(scratch.join('disk')), 'image'));
  });

  // biome-ignore format: a table
  const REFUSED: [what: string, prepare: (root: string) => void, message: RegExp][] = [
    ['a store that others can read',   (root) => chmodSync(path.join(root, 'image'), 0o755),            /image": mode 0755 lets other users in$/],
    ['layers that others can enter',   (root) => chmodSync(path.join(root, 'image/layers'), 0o711),     /layers": mode 0711 lets other users in$/],
    ['a root that others can write',   (root) => chmodSync(root, 0o777),                                /mode 0777 lets other users in$/],
    ['a link in the place of a part',  (root) => { rmdirSync(path.join(root, 'image/trees')); symlinkSync('layers', path.join(root, 'image/trees')); }, /^cannot open image store below ".*": ELOOP|^cannot open image store below ".*": ENOTDIR/],
    ['a file in the place of a part',  (root) => { rmdirSync(path.join(root, 'image/trees')); writeFileSync(path.join(root, 'image/trees'), ''); }, /^cannot open image store below ".*": ENOTDIR/],
  ];
  for (const [what, prepare, message] of REFUSED) {
    it(`refuses ${what}`, async () => {
      using scratch = new Scratch();
      const root = scratch.join('hull');
      openStore(root);
      prepare(root);
      expect(await failureOf(() => openStore(root))).toMatch(message);
    });
  }

  it('refuses what belongs to another user', async ({ skip }) => {
    skip(process.getuid?.() !== 0, 'needs root to give a directory away');
    using scratch = new Scratch();
    const root = scratch.join('hull');
    openStore(root);
    chownSync(path.join(root, 'image'), 1234, 1234);
    expect(await failureOf(() => openStore(root))).toMatch(/image": it belongs to user 1234, not 0$/);
  });
});
