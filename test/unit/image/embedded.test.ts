import { execFileSync } from 'node:child_process';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findBusybox, isStatic } from '../../../image/embedded/busybox.ts';
import { EMBEDDED_IMAGE, ensureEmbeddedImage } from '../../../image/embedded/ensure.ts';
import { writeLayout } from '../../../image/embedded/layout-writer.ts';
import { type StaticProgram, WELCOME_TAG, welcomeImage } from '../../../image/embedded/welcome.ts';
import { ErofsImage } from '../../../image/erofs/image.ts';
import { LayerStack } from '../../../image/erofs/layer-stack.ts';
import { importImage } from '../../../image/import.ts';
import { layerFile } from '../../../image/store/layer-file.ts';
import { listImages } from '../../../image/store/record.ts';
import { openStore, type Store } from '../../../image/store/store.ts';
import { Fd } from '../../../sys/fd.ts';
import { Scratch } from '../../support/image/scratch.ts';

const PROGRAM: StaticProgram = {
  name: 'demo',
  content: Buffer.from('\x7fELF and so on', 'latin1'),
  links: ['bin/demo', 'bin/sh', 'usr/bin/env'],
  command: ['/bin/sh'],
};

const filesOf = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(directory.length))
    .sort();

/** What the paths are in the merged image: a kind, and the target of a link. */
async function lookup(store: Store, paths: readonly string[]): Promise<(string | undefined)[]> {
  const [image] = listImages(store);
  const fds = (image?.files ?? []).map((file) => new Fd(openSync(layerFile(store, file), 'r')));
  try {
    const stack = new LayerStack(fds.map(({ number }) => new ErofsImage(number)));
    return paths.map((path) => {
      const node = stack.lookup(path);
      return node?.kind === 'symlink' ? `-> ${node.target}` : node?.kind;
    });
  } finally {
    for (const fd of fds) fd[Symbol.dispose]();
  }
}

describe('the embedded image', () => {
  it('is the same bytes every time', async () => {
    using one = new Scratch();
    using two = new Scratch();
    await writeLayout(one.path, welcomeImage(PROGRAM));
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await writeLayout(two.path, welcomeImage(PROGRAM));
    expect(filesOf(one.path)).toEqual(filesOf(two.path));
    for (const file of filesOf(one.path)) {
      expect(readFileSync(one.path + file).equals(readFileSync(two.path + file))).toBe(true);
    }
  });

  it('shows layers: the last takes away what the first has', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('root'));
    await writeLayout(scratch.join('layout'), welcomeImage(PROGRAM));
    const image = await importImage(store, `oci:${scratch.join('layout')}:${WELCOME_TAG}`);
    expect(image.files).toHaveLength(3);
    expect(image.config.config?.Cmd).toEqual(['/bin/sh']);
    const paths = ['bin/demo', 'bin/sh', 'usr/bin/env', 'etc/passwd', 'etc/motd', 'etc/welcome', 'tmp'];
    const found = ['file', '-> /bin/demo', '-> /bin/demo', 'file', undefined, 'file', 'directory'];
    expect(await lookup(store, paths)).toEqual(found);
  });

  it('is what umoci and skopeo take for an image', async ({ skip }) => {
    using scratch = new Scratch();
    await writeLayout(scratch.path, welcomeImage(PROGRAM));
    const reference = `${scratch.path}:${WELCOME_TAG}`;
    try {
      execFileSync('umoci', ['stat', '--json', '--image', reference], { stdio: 'pipe' });
    } catch (error) {
      skip((error as NodeJS.ErrnoException).code === 'ENOENT', 'needs umoci');
      throw error;
    }
  });

  it('is made once for a store, of the program given where there is no busybox', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.path);
    let asked = 0;
    const program = (): StaticProgram => {
      asked++;
      return PROGRAM;
    };
    const first = await ensureEmbeddedImage(store, program);
    const second = await ensureEmbeddedImage(store, program);
    expect(first).toEqual(second);
    expect(first.name).toBe(EMBEDDED_IMAGE);
    expect(asked).toBe(findBusybox() === undefined ? 1 : 0);
    expect(readdirSync(store.directory('staging'))).toEqual([]);
  });
});

describe('findBusybox()', () => {
  it('takes only one that needs no libraries', () => {
    expect(findBusybox(['/bin/sh', '/etc/passwd', '/nonexistent'])).toBeUndefined();
    expect(isStatic(readFileSync('/bin/sh'))).toBe(false);
    expect(isStatic(Buffer.from('#!/bin/sh'))).toBe(false);
    expect(isStatic(Buffer.alloc(0))).toBe(false);
  });

  it('finds Debian’s, with a shell among its names', ({ skip }) => {
    const busybox = findBusybox();
    if (busybox === undefined) return skip('needs busybox-static');
    expect(busybox.links).toContain('bin/ls');
    expect(busybox.command[0]).toBe('/bin/sh');
    expect(busybox.links.every((link) => /^(usr\/)?s?bin\//.test(link))).toBe(true);
  });
});
