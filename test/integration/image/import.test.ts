import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ErofsImage } from '../../../image/erofs/image.ts';
import { type ImportProgress, importImage } from '../../../image/import.ts';
import { collectGarbage } from '../../../image/store/collect.ts';
import { listImages } from '../../../image/store/record.ts';
import { openStore, type Store } from '../../../image/store/store.ts';
import { Fd } from '../../../sys/fd.ts';
import { ImportProcess } from '../../support/image/import-process.ts';
import { BASE_LAYER, MIDDLE_LAYER, SAMPLE_LAYERS } from '../../support/image/layer-samples.ts';
import { makeLayout, sha256 } from '../../support/image/layout.ts';
import { failureOf } from '../../support/image/messages.ts';
import { Scratch } from '../../support/image/scratch.ts';
import * as tar from '../../support/tar-maker.ts';

const needsRoot = process.getuid?.() === 0 ? undefined : 'needs root';

/** Layers of some megabytes that do not compress, so that an import takes long enough to be interrupted. */
const LARGE_LAYERS = Array.from({ length: 3 }, (_, n) => {
  const files = Array.from({ length: 8 }, (_, m) => tar.file(`l${n}/f${m}`, randomBytes(1_500_000)));
  return tar.archive(tar.directory(`l${n}/`), ...files);
});

const filesIn = (store: Store, directory: Parameters<Store['directory']>[0]): string[] =>
  readdirSync(store.directory(directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();

/** A layer that is there is all there. */
function expectWhole(files: readonly string[]): void {
  for (const file of files.filter((name) => name.endsWith('.erofs'))) {
    const { imageSize } = JSON.parse(readFileSync(file.replace(/erofs$/, 'json'), 'utf8'));
    expect(statSync(file).size).toBe(imageSize);
    using fd = new Fd(openSync(file, 'r'));
    expect(new ErofsImage(fd.number).superBlock.blockSize).toBe(512);
  }
}

describe('importImage() of what others made', () => {
  it('takes what skopeo copies to every form', async ({ skip }) => {
    skip(needsRoot !== undefined, needsRoot);
    using scratch = new Scratch();
    makeLayout(scratch.join('made'), SAMPLE_LAYERS);
    const skopeo = (from: string, to: string): void => {
      execFileSync('skopeo', ['copy', '--quiet', from, to], { stdio: 'pipe' });
    };
    const source = `oci:${scratch.join('made')}:latest`;
    skopeo(source, `oci:${scratch.join('layout')}:v1`);
    skopeo(source, `oci-archive:${scratch.join('oci.tar')}:v1`);
    skopeo(source, `docker-archive:${scratch.join('docker.tar')}:example.com/demo:v1`);
    execFileSync('gzip', ['--keep', scratch.join('docker.tar')]);
    const references = [
      `oci:${scratch.join('layout')}:v1`,
      `oci:${scratch.join('layout')}`,
      `oci-archive:${scratch.join('oci.tar')}`,
      `docker-archive:${scratch.join('docker.tar')}`,
      `docker-archive:${scratch.join('docker.tar.gz')}:example.com/demo:v1`,
      `docker-archive:${scratch.join('docker.tar')}:v1`,
    ];
    const names: string[] = [];
    for (const reference of references) {
      using root = new Scratch();
      const store = openStore(root.path);
      const image = await importImage(store, reference);
      names.push(image.name);
      expect(image.layers.map(({ diffId }) => diffId)).toEqual(SAMPLE_LAYERS.map(sha256));
      expectWhole(filesIn(store, 'layers'));
    }
    expect(names).toEqual([
      'layout:v1',
      'layout:v1',
      'oci:v1',
      'example.com/demo:v1',
      'example.com/demo:v1',
      'example.com/demo:v1',
    ]);
  });

  it('takes what umoci repacks', async ({ skip }) => {
    skip(needsRoot !== undefined, needsRoot);
    using scratch = new Scratch();
    makeLayout(scratch.join('layout'), [BASE_LAYER, MIDDLE_LAYER]);
    const umoci = (...args: string[]): void => void execFileSync('umoci', args, { stdio: 'pipe' });
    umoci('unpack', '--image', scratch.join('layout:latest'), scratch.join('bundle'));
    writeFileSync(scratch.join('bundle/rootfs/etc/added'), 'x');
    umoci('repack', '--image', scratch.join('layout:more'), scratch.join('bundle'));
    const store = openStore(scratch.join('store'));
    const image = await importImage(store, `oci:${scratch.join('layout')}:more`);
    expect(image.layers).toHaveLength(3);
    const reference = `oci:${scratch.join('layout')}:less`;
    expect(await failureOf(() => importImage(store, reference))).toBe(
      `cannot import "${reference}": "${scratch.join('layout')}" has no tag "less"; it has: "latest", "more"`,
    );
  });
});

describe('importImage() that is killed', () => {
  const past =
    (part: number) =>
    ({ bytes, bytesDone }: ImportProgress) =>
      bytesDone >= bytes * part;
  // biome-ignore format: a table
  const POINTS: [when: string, isTime: (progress: ImportProgress) => boolean][] = [
    ['when it starts',            () => true],
    ['in the first layer',        past(0.1)],
    ['in the middle',             past(0.5)],
    ['with a layer in the store', ({ layersDone }) => layersDone >= 1],
    ['with most of them',         ({ layersDone }) => layersDone >= 2],
    ['with all of them',          ({ layersDone }) => layersDone >= 3],
  ];

  for (const [when, isTime] of POINTS) {
    it(`${when}, leaves no half layer, and the next one finds a clean store`, async () => {
      using scratch = new Scratch();
      makeLayout(scratch.join('large'), LARGE_LAYERS);
      const reference = `oci:${scratch.join('large')}`;
      const killed = new ImportProcess(scratch.join('store'), reference);
      expect(await killed.killWhen(isTime)).toBe(true);

      const store = openStore(scratch.join('store'));
      expectWhole(filesIn(store, 'layers'));
      if (when !== 'with all of them') expect(listImages(store)).toEqual([]);
      expect(await new ImportProcess(scratch.join('store'), reference).end()).toBe('large:latest');
      expect(filesIn(store, 'staging')).toEqual([]);
      expect(filesIn(store, 'layers')).toHaveLength(2 * LARGE_LAYERS.length);
      expectWhole(filesIn(store, 'layers'));
    });
  }

  it('is swept without another import, too', async () => {
    using scratch = new Scratch();
    makeLayout(scratch.join('large'), LARGE_LAYERS);
    const killed = new ImportProcess(scratch.join('store'), `oci:${scratch.join('large')}`);
    await killed.killWhen(past(0.5));
    const store = openStore(scratch.join('store'));
    expect(filesIn(store, 'staging')).not.toEqual([]);
    expect(collectGarbage(store)).toBe(true);
    expect([...filesIn(store, 'staging'), ...filesIn(store, 'layers')]).toEqual([]);
  });
});

describe('importImage() in several processes at once', () => {
  it('ends well in all, with one copy of each layer', async () => {
    using scratch = new Scratch();
    makeLayout(scratch.join('large'), LARGE_LAYERS);
    makeLayout(scratch.join('small'), [LARGE_LAYERS[0] ?? Buffer.alloc(0)]);
    const references = ['large', 'large', 'small', 'large'].map((name) => `oci:${scratch.join(name)}`);
    const ends = references.map((reference) => new ImportProcess(scratch.join('store'), reference).end());
    expect(await Promise.all(ends)).toEqual(['large:latest', 'large:latest', 'small:latest', 'large:latest']);
    const store = openStore(scratch.join('store'));
    collectGarbage(store);
    expect(filesIn(store, 'staging')).toEqual([]);
    expect(filesIn(store, 'layers')).toHaveLength(2 * LARGE_LAYERS.length);
    expectWhole(filesIn(store, 'layers'));
  });
});

describe('importImage() onto a full disk', () => {
  function onSmallDisk<T>(
    scratch: Scratch,
    megabytes: number,
    use: (disk: string) => Promise<T>,
  ): Promise<T> {
    const disk = scratch.join('disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'hull-test', disk]);
    return use(disk).finally(() => execFileSync('umount', [disk]));
  }

  it('says so in one line, and leaves nothing', async ({ skip }) => {
    skip(needsRoot !== undefined, needsRoot);
    using scratch = new Scratch();
    makeLayout(scratch.join('large'), LARGE_LAYERS);
    await onSmallDisk(scratch, 20, async (disk) => {
      const store = openStore(disk);
      const reference = `oci:${scratch.join('large')}`;
      const said = await failureOf(() => importImage(store, reference));
      expect(said).toContain(`cannot import "${reference}": no space left in "${store.path}"`);
      expect(said.split('\n')).toHaveLength(1);
      expect(['layers', 'staging', 'images'].flatMap((name) => filesIn(store, name as 'layers'))).toEqual([]);
    });
  });

  it('is the same for an archive that has to be unpacked first', async ({ skip }) => {
    skip(needsRoot !== undefined, needsRoot);
    using scratch = new Scratch();
    writeFileSync(
      scratch.join('a.tar.gz'),
      gzipSync(makeLayout(scratch.join('large'), LARGE_LAYERS).archive(), { level: 1 }),
    );
    await onSmallDisk(scratch, 20, async (disk) => {
      const store = openStore(disk);
      const reference = `oci-archive:${scratch.join('a.tar.gz')}`;
      expect(await failureOf(() => importImage(store, reference))).toContain(
        `cannot import "${reference}": no space left in "${store.path}"`,
      );
      expect(filesIn(store, 'staging')).toEqual([]);
    });
  });

  it('is no trouble where there is room', async ({ skip }) => {
    skip(needsRoot !== undefined, needsRoot);
    using scratch = new Scratch();
    makeLayout(scratch.join('large'), LARGE_LAYERS);
    await onSmallDisk(scratch, 60, async (disk) => {
      const image = await importImage(openStore(disk), `oci:${scratch.join('large')}`);
      expect(image.layers).toHaveLength(3);
    });
  });
});

describe('importImage() by another user', () => {
  it('needs no privilege, and keeps owners and devices', async ({ skip }) => {
    skip(needsRoot !== undefined, needsRoot);
    using scratch = new Scratch();
    chmodSync(scratch.path, 0o755);
    makeLayout(scratch.join('sample'), SAMPLE_LAYERS);
    mkdirSync(scratch.join('home'), { mode: 0o777 });
    chmodSync(scratch.join('home'), 0o777);
    const root = scratch.join('home/hull');
    expect(await new ImportProcess(root, `oci:${scratch.join('sample')}`, { uid: 65534 }).end()).toBe(
      'sample:latest',
    );
    expect(statSync(root).uid).toBe(65534);
    expect(await failureOf(() => openStore(root))).toMatch(/it belongs to user 65534, not 0$/);
  });
});
