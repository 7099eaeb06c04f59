import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../../image/store/store.ts';
import { unpackImage } from '../../../image/unpack/unpack-image.ts';
import { SAMPLE_LAYERS } from '../../support/image/layer-samples.ts';
import { makeLayout } from '../../support/image/layout.ts';
import { failureOf } from '../../support/image/messages.ts';
import { Scratch } from '../../support/image/scratch.ts';
import { differences, listDirectory } from '../../support/image/tree-listing.ts';
import type { Listing } from '../../support/layer-image.ts';
import * as tar from '../../support/tar-maker.ts';

/** What unpacking the layers says; and whether anything outside the target changed. */
async function unpacking(scratch: Scratch, layers: readonly Buffer[]): Promise<string> {
  const store = openStore(scratch.join('store'));
  makeLayout(scratch.join('hostile'), layers);
  mkdirSync(scratch.join('outside'), { mode: 0o750 });
  writeFileSync(scratch.join('outside/canary'), 'untouched', { mode: 0o600 });
  symlinkSync('canary', scratch.join('outside/link'));
  const before = listDirectory(scratch.join('outside'));
  const said = await failureOf(() =>
    unpackImage(store, `oci:${scratch.join('hostile')}`, scratch.join('target')),
  );
  expect(differences(listDirectory(scratch.join('outside')), before)).toEqual([]);
  if (said !== 'succeeded') expect(readdirSync(scratch.path)).not.toContain('target');
  return said.replaceAll(scratch.path, 'DIR');
}

describe('unpackImage() and hostile layers (L-01, L-02, L-03, L-05)', () => {
  const out = 'DIR/outside';
  /** Layers that name the canary's directory; `DIR` is replaced in them. */
  // biome-ignore format: a table
  const CASES: [what: string, layers: (out: string) => Buffer[][], message: RegExp][] = [
    ['nothing wrong',                      () => [[tar.file('a', 'x')]],                                              /^succeeded$/],
    ['a name that climbs',                 () => [[tar.file('../outside/new', 'x')]],                                 /leads out of the root$/],
    ['a name that climbs later',           () => [[tar.file('a/../../outside/new', 'x')]],                            /leads out of the root$/],
    ['an absolute name',                   (o) => [[tar.file(`${o}/new`, 'x')]],                                      /^succeeded$/],
    ['a link out and a file through it',   (o) => [[tar.symlink('l', o), tar.file('l/new', 'x')]],                    /^succeeded$/],
    ['the same in two layers',             (o) => [[tar.symlink('l', o)], [tar.file('l/new', 'x')]],                  /^succeeded$/],
    ['a link that climbs',                 () => [[tar.symlink('l', '../outside'), tar.file('l/new', 'x')]],          /^succeeded$/],
    ['a file over a link out',             (o) => [[tar.symlink('l', `${o}/canary`)], [tar.file('l', 'changed')]],    /^succeeded$/],
    ['a directory over a link out',        (o) => [[tar.symlink('l', o), tar.directory('l/', { mode: 0o777, uid: 12, mtime: 0 })]], /^succeeded$/],
    ['a root that is a link',              (o) => [[tar.symlink('.', o)]],                                            /the root is a directory and not a symlink$/],
    ['a root that is a link, spelt longer', (o) => [[tar.symlink('./', o)], [tar.file('new', 'x')]],                  /the root is a directory and not a symlink$/],
    ['a hard link out',                    () => [[tar.hardlink('h', '../outside/canary')]],                          /leads out of the root$/],
    ['a hard link to an absolute path',    (o) => [[tar.hardlink('h', `${o}/canary`)]],                               /there is no file ".*" to link to$/],
    ['a hard link through a link out',     (o) => [[tar.symlink('l', o), tar.hardlink('h', 'l/canary')]],             /there is no file "l\/canary" to link to$/],
    ['a hard link to a link out',          (o) => [[tar.symlink('l', `${o}/canary`), tar.hardlink('h', 'l')]],        /^succeeded$/],
    ['a hard link to a directory',         () => [[tar.directory('d/'), tar.hardlink('h', 'd')]],                     /there is no file "d" to link to$/],
    ['a whiteout through a link out',      (o) => [[tar.symlink('l', o)], [tar.file('l/.wh.canary')]],                /^succeeded$/],
    ['an opaque mark through a link out',  (o) => [[tar.symlink('l', o)], [tar.file('l/.wh..wh..opq')]],              /^succeeded$/],
    ['a whiteout of "."',                  () => [[tar.file('.wh..')]],                                               /does not name anything that could be hidden$/],
    ['a whiteout of ".."',                 () => [[tar.file('.wh...')]],                                              /does not name anything that could be hidden$/],
    ['a whiteout of nothing',              () => [[tar.file('d/.wh.')]],                                              /does not name anything that could be hidden$/],
    ['a NUL in a name',                    () => [[tar.entry('x', { pax: [['path', 'a\0b']] })]],                     /cannot read pax header/],
    ['a directory, a file and a directory', () => [[tar.directory('d/'), tar.file('d/x'), tar.file('d'), tar.directory('d/'), tar.file('d/y')]], /^succeeded$/],
  ];
  for (const [what, layers, message] of CASES) {
    it(`meet ${what}`, async () => {
      using scratch = new Scratch();
      const outside = out.replace('DIR', scratch.path);
      expect(
        await unpacking(
          scratch,
          layers(outside).map((entries) => tar.archive(...entries)),
        ),
      ).toMatch(message);
    });
  }

  it('never open a fifo or a device', async () => {
    using scratch = new Scratch();
    const fifo = tar.entry('pipe', { typeflag: '6', mode: 0o666 });
    const device = tar.entry('zero', { typeflag: '3', devMajor: 1, devMinor: 5, mode: 0o666 });
    expect(
      await unpacking(scratch, [tar.archive(fifo, device), tar.archive(tar.hardlink('h', 'pipe'))]),
    ).toBe('succeeded');
    expect(statSync(scratch.join('target/h')).isFIFO()).toBe(true);
    expect(statSync(scratch.join('target/zero')).rdev).toBe((1 << 8) | 5);
  });
});

describe('unpackImage() and its target', () => {
  it('takes an empty directory, and gives it the root’s attributes', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('store'));
    makeLayout(scratch.join('sample'), SAMPLE_LAYERS);
    mkdirSync(scratch.join('target'), { mode: 0o777 });
    await unpackImage(store, `oci:${scratch.join('sample')}`, scratch.join('target'));
    expect(statSync(scratch.join('target'))).toMatchObject({ uid: 3, gid: 4, mtimeMs: 1_000_000_000_000 });
    expect(statSync(scratch.join('target')).mode & 0o7777).toBe(0o711);
  });

  it('refuses one that is not empty, and leaves it alone', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('store'));
    makeLayout(scratch.join('sample'), SAMPLE_LAYERS);
    mkdirSync(scratch.join('target'));
    writeFileSync(scratch.join('target/mine'), 'x');
    expect(
      await failureOf(() => unpackImage(store, `oci:${scratch.join('sample')}`, scratch.join('target'))),
    ).toBe(`cannot unpack into "${scratch.join('target')}": it is not empty`);
    expect(readdirSync(scratch.join('target'))).toEqual(['mine']);
  });

  it('does not pass on what its parent would', async ({ skip }) => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('store'));
    makeLayout(scratch.join('sample'), SAMPLE_LAYERS);
    mkdirSync(scratch.join('parent'));
    chownSync(scratch.join('parent'), 0, 4242);
    chmodSync(scratch.join('parent'), 0o2777);
    try {
      // user::rwx, user:1234:rwx, group::rwx, mask::rwx, other::rwx, as acl(5)'s version 2 has it.
      const acl = '0200000001000700ffffffff02000700d204000004000700ffffffff10000700ffffffff20000700ffffffff';
      const set =
        'import os,sys; os.setxattr(sys.argv[1], "system.posix_acl_default", bytes.fromhex(sys.argv[2]))';
      execFileSync('python3', ['-c', set, scratch.join('parent'), acl], { stdio: 'pipe' });
    } catch (error) {
      skip(String(error).includes('not supported'), 'needs a file system with ACLs');
      throw error;
    }
    const umask = process.umask(0o077);
    try {
      await unpackImage(store, `oci:${scratch.join('sample')}`, scratch.join('parent/target'));
    } finally {
      process.umask(umask);
    }
    await unpackImage(store, `oci:${scratch.join('sample')}`, scratch.join('plain'));
    const [inherited, plain] = [
      listDirectory(scratch.join('parent/target')),
      listDirectory(scratch.join('plain')),
    ];
    expect(differences(inherited, plain)).toEqual([]);
  });
});

describe('unpackImage() by another user', () => {
  const HULL = path.resolve(import.meta.dirname, '../../../runtime/cli/main.ts');

  /** Runs a program as nobody, whose home is in the scratch directory; both of its outputs. */
  function runAsNobody(scratch: Scratch, ...argv: string[]): string {
    const script = `import os,sys,subprocess; os.setgid(65534); os.setuid(65534)
sys.exit(subprocess.run(sys.argv[1:], stderr=sys.stdout).returncode)`;
    const env = { ...process.env, HOME: scratch.join('home') };
    return execFileSync('python3', ['-c', script, ...argv], { encoding: 'utf8', env });
  }

  function prepare(scratch: Scratch): void {
    chmodSync(scratch.path, 0o755);
    makeLayout(scratch.join('sample'), SAMPLE_LAYERS);
    mkdirSync(scratch.join('home'));
    chownSync(scratch.join('home'), 65534, 65534);
  }

  function unpackAsNobody(scratch: Scratch): string {
    const store = ['--store', scratch.join('home/store')];
    const hull = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      HULL,
      'image',
      'unpack',
      ...store,
    ];
    return runAsNobody(scratch, ...hull, `oci:${scratch.join('sample:latest')}`, scratch.join('home/ours'));
  }

  it('gives everything to the caller, keeps what the image says beside it, and says what is left out', () => {
    using scratch = new Scratch();
    prepare(scratch);
    const said = unpackAsNobody(scratch);
    expect(said).toMatch(/left out, for want of privilege or support: .*device nodes \(2\)/);
    expect(said.trim().split('\n')).toHaveLength(1);
    const listing = listDirectory(scratch.join('home/ours'));
    expect(new Set(Object.values(listing).map(({ uid }) => uid))).toEqual(new Set([65534]));
    // uid 7 and gid 8.
    expect(listing['bin/sgid']?.xattrs).toEqual({ 'user.rootlesscontainers': '08071008' });
    expect(listing['dev/pipe']?.type).toBe('fifo');
    expect(listing['dev/null']).toBeUndefined();
  });

  it('is what umoci unpacks without root, but for the devices', () => {
    using scratch = new Scratch();
    prepare(scratch);
    unpackAsNobody(scratch);
    const umoci = ['umoci', 'raw', 'unpack', '--rootless', '--image', scratch.join('sample:latest')];
    runAsNobody(scratch, ...umoci, scratch.join('home/theirs'));
    const withoutDevices = (directory: string): Listing =>
      Object.fromEntries(
        Object.entries(listDirectory(directory)).filter(([name]) => !name.startsWith('dev/')),
      );
    const ours = withoutDevices(scratch.join('home/ours'));
    expect(differences(ours, withoutDevices(scratch.join('home/theirs')))).toEqual([]);
  });
});
