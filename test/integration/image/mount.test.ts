import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { importImage } from '../../../image/import.ts';
import { mountLayer } from '../../../image/mount/layer.ts';
import { mountImage, unmountImage } from '../../../image/mount/mount-image.ts';
import { attachMount } from '../../../image/mount/overlay.ts';
import { removeImage } from '../../../image/remove.ts';
import { collectGarbage } from '../../../image/store/collect.ts';
import { layerFile } from '../../../image/store/layer-file.ts';
import { findImage } from '../../../image/store/record.ts';
import { openStore, type Store } from '../../../image/store/store.ts';
import { makeLayout } from '../../support/image/layout.ts';
import { failureOf } from '../../support/image/messages.ts';
import { Scratch } from '../../support/image/scratch.ts';
import * as tar from '../../support/tar-maker.ts';

const BASE = tar.archive(
  tar.directory('./'),
  tar.entry('null', { typeflag: '3', devMajor: 1, devMinor: 3, mode: 0o666 }),
  tar.file('etc/a', 'one'),
);
const TOP = tar.archive(tar.directory('etc/'), tar.file('etc/b', 'two'));

async function storeWith(scratch: Scratch, layers: readonly Buffer[] = [BASE, TOP]): Promise<Store> {
  const store = openStore(scratch.join('store'));
  makeLayout(scratch.join('demo'), layers);
  await importImage(store, `oci:${scratch.join('demo')}`);
  return store;
}

/** The lines of mountinfo for what is mounted below the directory. */
const mountsIn = (directory: string): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.split(' ')[4]?.startsWith(`${directory}/`));

const layersIn = (store: Store): string[] =>
  readdirSync(store.directory('layers'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /erofs$/.test(name),
  );

describe('mountImage()', () => {
  it('puts the root into a private directory, and takes it away again', async () => {
    using scratch = new Scratch();
    const store = await storeWith(scratch);
    const mounted = await mountImage(store, 'demo', scratch.join('run/c1'));
    expect(mounted.rootfs).toBe(scratch.join('run/c1/rootfs'));
    expect(readdirSync(`${mounted.rootfs}/etc`)).toEqual(['a', 'b']);
    expect(statSync(scratch.join('run/c1')).mode & 0o7777).toBe(0o700);
    expect(mountsIn(scratch.path)).toHaveLength(1);
    mounted.unmount();
    mounted.unmount();
    expect(mountsIn(scratch.path)).toEqual([]);
    expect(readdirSync(store.directory('leases'))).toEqual([]);
  });

  it('lets the image’s set-user-id programs work, and its devices not', async () => {
    using scratch = new Scratch();
    const program = compileStatic(
      scratch,
      'int puts(const char*);int geteuid(void);int main(){puts(geteuid()?"user":"root");}',
    );
    const layer = tar.archive(
      tar.file('plain', program, { mode: 0o755 }),
      tar.file('suid', program, { mode: 0o4755 }),
    );
    const store = await storeWith(scratch, [BASE, layer]);
    const mounted = await mountImage(store, 'demo', scratch.join('c1'));
    expect(runAsUser(mounted.rootfs, '/plain')).toBe('user\n');
    expect(runAsUser(mounted.rootfs, '/suid')).toBe('root\n');
    expect(() => readFileSync(`${mounted.rootfs}/null`)).toThrow('EACCES');
    mounted.unmount();
    const withDevices = await mountImage(store, 'demo', scratch.join('c1'), { devices: true });
    expect(readFileSync(`${withDevices.rootfs}/null`, 'utf8')).toBe('');
    withDevices.unmount();
  });

  // biome-ignore format: a table
  const REFUSED: [what: string, prepare: (directory: string) => void, message: RegExp][] = [
    ['that others can enter',  (directory) => { mkdirSync(directory); chmodSync(directory, 0o755); },  /^cannot use container directory ".*": mode 0755 lets other users in$/],
    ['that is a link',         (directory) => symlinkSync('/', directory),                             /ELOOP|ENOTDIR|not a directory/],
    ['that is a file',         (directory) => writeFileSync(directory, ''),                            /EEXIST|ENOTDIR/],
  ];
  for (const [what, prepare, message] of REFUSED) {
    it(`refuses a directory ${what}`, async () => {
      using scratch = new Scratch();
      const store = await storeWith(scratch);
      prepare(scratch.join('c1'));
      expect(await failureOf(() => mountImage(store, 'demo', scratch.join('c1')))).toMatch(message);
      expect(mountsIn(scratch.path)).toEqual([]);
    });
  }

  it('says what could not be mounted, and leaves no lease', async () => {
    using scratch = new Scratch();
    const store = await storeWith(scratch);
    const [file] = findImage(store, 'demo').files;
    if (file === undefined) throw new Error('the image has no files');
    writeFileSync(layerFile(store, file), Buffer.alloc(8192));
    const said = await failureOf(() => mountImage(store, 'demo', scratch.join('c1')));
    expect(said).toMatch(/^cannot mount image "demo:latest" at ".*\/c1\/rootfs": cannot read layer image: /);
    expect(readdirSync(store.directory('leases'))).toEqual([]);
    expect(mountsIn(scratch.path)).toEqual([]);
    expect(await failureOf(() => mountImage(store, 'other', scratch.join('c1')))).toBe(
      'there is no image "other" in the store',
    );
  });
});

describe('unmountImage()', () => {
  it('undoes what a process left that was killed in the middle', async () => {
    using scratch = new Scratch();
    const store = await storeWith(scratch);
    const [file] = findImage(store, 'demo').files;
    if (file === undefined) throw new Error('the image has no files');
    for (const place of ['c1/rootfs', 'c1/lower/0', 'c1/lower/1']) {
      mkdirSync(scratch.join(place), { recursive: true });
      chmodSync(scratch.join('c1'), 0o700);
      attachMount(mountLayer(layerFile(store, file)), scratch.join(place));
    }
    attachMount(mountLayer(layerFile(store, file)), scratch.join('c1/rootfs'));
    expect(mountsIn(scratch.path)).toHaveLength(4);
    unmountImage(store, scratch.join('c1'));
    expect(mountsIn(scratch.path)).toEqual([]);
    expect(readdirSync(scratch.join('c1'))).toEqual(['rootfs']);
  });

  it('is not needed before the next mount in the same place', async () => {
    using scratch = new Scratch();
    const store = await storeWith(scratch);
    await mountImage(store, 'demo', scratch.join('c1'));
    const again = await mountImage(store, 'demo', scratch.join('c1'));
    expect(mountsIn(scratch.path)).toHaveLength(1);
    again.unmount();
    unmountImage(store, scratch.join('never-mounted'));
  });
});

describe('a mounted image', () => {
  it('keeps its layers, though the image is removed', async () => {
    using scratch = new Scratch();
    const store = await storeWith(scratch);
    const mounted = await mountImage(store, 'demo', scratch.join('c1'));
    removeImage(store, 'demo');
    expect(layersIn(store)).toHaveLength(2);
    expect(readFileSync(`${mounted.rootfs}/etc/a`, 'utf8')).toBe('one');
    mounted.unmount();
    collectGarbage(store);
    expect(layersIn(store)).toEqual([]);
  });

  it('loses its lease with its directory, as after a reboot', async () => {
    using scratch = new Scratch();
    const store = await storeWith(scratch);
    const mounted = await mountImage(store, 'demo', scratch.join('c1'));
    removeImage(store, 'demo');
    execFileSync('umount', [mounted.rootfs]);
    rmSync(scratch.join('c1'), { recursive: true });
    collectGarbage(store);
    expect(layersIn(store)).toEqual([]);
    expect(readdirSync(store.directory('leases'))).toEqual([]);
  });

  it('frees its loop devices by itself', async () => {
    using scratch = new Scratch();
    const store = await storeWith(scratch);
    const mounted = await mountImage(store, 'demo', scratch.join('c1'), { layerAccess: ['loop'] });
    const attached = (): string =>
      execFileSync('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'], { encoding: 'utf8' });
    expect(attached()).toContain(store.path);
    mounted.unmount();
    for (let waited = 0; attached().includes(store.path) && waited < 100; waited++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(attached()).not.toContain(store.path);
  });
});

function compileStatic(scratch: Scratch, source: string): Buffer {
  const directory = mkdtempSync(scratch.join('c-'));
  execFileSync('gcc', ['-w', '-static', '-Os', '-o', path.join(directory, 'program'), '-x', 'c', '-'], {
    input: source,
  });
  return readFileSync(path.join(directory, 'program'));
}

/** Runs a program of the root as nobody, in the root. */
function runAsUser(root: string, program: string): string {
  const script =
    'import os,sys; os.chroot(sys.argv[1]); os.setgid(65534); os.setuid(65534); os.execv(sys.argv[2], [sys.argv[2]])';
  return execFileSync('python3', ['-c', script, root, program], { encoding: 'utf8' });
}
