import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type ImportProgress, importImage } from '../../../image/import.ts';
import { removeImage } from '../../../image/remove.ts';
import { collectGarbage } from '../../../image/store/collect.ts';
import { writeLease } from '../../../image/store/lease.ts';
import { findImage, listImages } from '../../../image/store/record.ts';
import { openStore, type Store } from '../../../image/store/store.ts';
import { OCI_LAYER } from '../../../spec/image/media-type.ts';
import { dockerArchive, makeLayout, sha256, TestLayout } from '../../support/image/layout.ts';
import { failureOf } from '../../support/image/messages.ts';
import { Scratch } from '../../support/image/scratch.ts';
import * as tar from '../../support/tar-maker.ts';

const BASE = tar.archive(tar.directory('etc/'), tar.file('etc/a', 'one'));
const TOP = tar.archive(tar.directory('etc/'), tar.file('etc/b', 'two'));
/** Leaves out the directory that the base describes. */
const PARTIAL = tar.archive(tar.file('etc/c', 'three'));
const DIRECTORY = tar.archive(tar.directory('etc/', { mode: 0o711, uid: 7, mtime: 1000 }));

/** Every file of the store that matters, relative to it. */
function filesOf(store: Store): string[] {
  return readdirSync(store.path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(store.path, path.join(entry.parentPath, entry.name)))
    .filter((file) => file !== 'lock')
    .sort();
}

const layerFiles = (...archives: Buffer[]): string[] =>
  archives
    .flatMap((archive) =>
      ['erofs', 'json'].map((ending) => `layers/${sha256(archive).replace(':', '/')}.${ending}`),
    )
    .sort();

const hexOf = (digest: string): string => digest.slice(digest.indexOf(':') + 1);

describe('importImage()', () => {
  it('stores an image, and remembers what it needs to run it', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('root'));
    makeLayout(scratch.join('busybox'), [BASE, TOP]);
    const image = await importImage(store, `oci:${scratch.join('busybox')}:latest`);
    expect(image).toMatchObject({
      name: 'busybox:latest',
      config: { config: { Cmd: ['/bin/sh'] } },
      files: [BASE, TOP].map((archive) => ({ kind: 'layers', digest: sha256(archive) })),
      root: { mode: 0o755, uid: 0, gid: 0, xattrs: {} },
    });
    expect(filesOf(store)).toEqual(['images/busybox%3Alatest.json', ...layerFiles(BASE, TOP)]);
    expect(listImages(store)).toEqual([image]);
    for (const name of ['busybox', 'busybox:latest', image.id, hexOf(image.id).slice(0, 12)]) {
      expect(findImage(store, name)).toEqual(image);
    }
  });

  it('does no work for layers that are there', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('root'));
    makeLayout(scratch.join('one'), [BASE]);
    makeLayout(scratch.join('two'), [BASE, TOP]);
    await importImage(store, `oci:${scratch.join('one')}`);
    const file = path.join(store.path, `layers/${sha256(BASE).replace(':', '/')}.erofs`);
    const before = statSync(file, { bigint: true });
    const reports: ImportProgress[] = [];
    await importImage(store, `oci:${scratch.join('two')}`, {
      onProgress: (progress) => reports.push(progress),
    });
    expect(statSync(file, { bigint: true })).toMatchObject({ ino: before.ino, mtimeNs: before.mtimeNs });
    expect(reports[0]).toMatchObject({ layers: 2, layersDone: 1, bytesDone: 0, bytes: gzipSync(TOP).length });
    expect(reports.at(-1)).toMatchObject({ layersDone: 2, bytesDone: gzipSync(TOP).length });
  });

  it('needs nothing of the source for an image that is there', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('root'));
    const layout = makeLayout(scratch.join('one'), [BASE, TOP]);
    const first = await importImage(store, `oci:${scratch.join('one')}`);
    rmSync(layout.blobPath(sha256(gzipSync(BASE))));
    const second = await importImage(store, `oci:${scratch.join('one')}`, { name: 'again' });
    expect(second).toMatchObject({ id: first.id, name: 'again:latest' });
  });

  it('says again what a layer leaves out of the directories below it', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('root'));
    makeLayout(scratch.join('one'), [DIRECTORY, PARTIAL]);
    const { files } = await importImage(store, `oci:${scratch.join('one')}`);
    expect(files.map(({ kind }) => kind)).toEqual(['layers', 'layers', 'chains']);
    const small = path.join(store.path, `chains/${files[2]?.digest.replace(':', '/')}.erofs`);
    expect(statSync(small).size).toBe(8192);
  });

  it('builds a layer anew whose path leads through a link below', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('root'));
    const linked = tar.archive(
      tar.directory('usr/'),
      tar.directory('usr/lib/'),
      tar.symlink('lib', 'usr/lib'),
    );
    makeLayout(scratch.join('one'), [linked, tar.archive(tar.file('lib/x', 'here'))]);
    const { files } = await importImage(store, `oci:${scratch.join('one')}`);
    expect(files.map(({ kind }) => kind)).toEqual(['layers', 'chains']);
  });

  it('forgets what a layer hides that empties the root', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('root'));
    const emptying = tar.archive(tar.file('.wh..wh..opq'), tar.file('new', 'x'));
    makeLayout(scratch.join('one'), [BASE, emptying]);
    const { files } = await importImage(store, `oci:${scratch.join('one')}`);
    expect(files).toEqual([{ kind: 'layers', digest: sha256(emptying) }]);
  });

  it('takes archives, plain and compressed, of both makers', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('root'));
    const layout = makeLayout(scratch.join('layout'), [BASE, TOP]);
    const saved = dockerArchive([{ repoTags: ['demo:1'], archives: [BASE, TOP] }]);
    writeFileSync(scratch.join('a.tar'), layout.archive());
    writeFileSync(scratch.join('a.tar.gz'), gzipSync(layout.archive()));
    writeFileSync(scratch.join('d.tar'), saved);
    writeFileSync(scratch.join('d.tar.gz'), gzipSync(saved));
    const names: string[] = [];
    for (const reference of [
      'oci-archive:a.tar',
      'oci-archive:a.tar.gz:latest',
      'docker-archive:d.tar',
      'docker-archive:d.tar.gz:demo:1',
    ]) {
      const [transport, ...rest] = reference.split(':');
      const image = await importImage(store, `${transport}:${scratch.join(rest.join(':'))}`);
      names.push(image.name);
    }
    expect(names).toEqual(['a:latest', 'a:latest', 'demo:1', 'demo:1']);
    expect(filesOf(store)).toEqual([
      'images/a%3Alatest.json',
      'images/demo%3A1.json',
      ...layerFiles(BASE, TOP),
    ]);
  });
});

describe('importImage() of what is broken', () => {
  const gzipped = gzipSync(BASE);

  // biome-ignore format: a table
  const CASES: [what: string, spoil: (layout: TestLayout, file: string) => void, message: RegExp][] = [
    ['nothing wrong',       () => {},                                                          /^succeeded$/],
    ['a corrupt blob',      (_, file) => writeFileSync(file, flip(gzipped, gzipped.length - 9)),  /^cannot import ".*": layer 1 of 2 \(sha256:[0-9a-f]{64}\): (layer has digest|cannot decompress layer: )/],
    ['another content',     (_, file) => writeFileSync(file, gzipSync(TOP)),                   /layer 1 of 2 \(sha256:[0-9a-f]{64}\): |blob sha256:[0-9a-f]{64} has \d+ bytes, but/],
    ['a blob cut off',      (_, file) => writeFileSync(file, gzipped.subarray(0, 60)),         /^cannot import ".*": blob sha256:[0-9a-f]{64} has 60 bytes, but its descriptor says \d+$/],
    ['a missing blob',      (_, file) => rmSync(file),                                         /^cannot import ".*": blob sha256:[0-9a-f]{64} is missing in ".*"$/],
  ];
  for (const [what, spoil, message] of CASES) {
    it(`meets ${what}, and leaves nothing of it`, async () => {
      using scratch = new Scratch();
      const store = openStore(scratch.join('root'));
      const layout = makeLayout(scratch.join('one'), [BASE, TOP]);
      spoil(layout, layout.blobPath(sha256(gzipped)));
      const said = await failureOf(() => importImage(store, `oci:${scratch.join('one')}`));
      expect(said).toMatch(message);
      expect(said.split('\n')).toHaveLength(1);
      if (said !== 'succeeded') expect(filesOf(store)).toEqual([]);
    });
  }

  it('refuses a layer whose diffID is another’s', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('root'));
    makeLayout(scratch.join('one'), [BASE], {
      config: { rootfs: { type: 'layers', diff_ids: [sha256(TOP)] } },
    });
    const said = await failureOf(() => importImage(store, `oci:${scratch.join('one')}`));
    expect(said).toContain(`uncompressed layer has digest ${sha256(BASE)}, not ${sha256(TOP)}`);
    expect(filesOf(store)).toEqual([]);
  });

  it('refuses a layer that is not a tar', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('root'));
    const layout = new TestLayout(scratch.join('one'));
    const editManifest = (manifest: Record<string, unknown>): object => ({
      ...manifest,
      layers: [layout.put(OCI_LAYER, Buffer.alloc(2000, 'x'))],
    });
    layout.tag(layout.putImage({ archives: [BASE], editManifest }));
    const said = await failureOf(() => importImage(store, `oci:${scratch.join('one')}`));
    expect(said).toMatch(/layer 1 of 1 \(sha256:[0-9a-f]{64}\): cannot read tar header: /);
    expect(filesOf(store)).toEqual([]);
  });

  it('stops when it is told to', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('root'));
    makeLayout(scratch.join('one'), [BASE, TOP]);
    const signal = AbortSignal.abort(new Error('enough'));
    expect(await failureOf(() => importImage(store, `oci:${scratch.join('one')}`, { signal }))).toBe(
      'enough',
    );
    expect(filesOf(store)).toEqual([]);
  });
});

describe('removeImage() and the garbage it leaves', () => {
  async function twoImages(scratch: Scratch): Promise<Store> {
    const store = openStore(scratch.join('root'));
    makeLayout(scratch.join('one'), [BASE]);
    makeLayout(scratch.join('two'), [BASE, TOP]);
    await importImage(store, `oci:${scratch.join('one')}`);
    await importImage(store, `oci:${scratch.join('two')}`);
    return store;
  }

  it('takes the layers that no other image has', async () => {
    using scratch = new Scratch();
    const store = await twoImages(scratch);
    expect(removeImage(store, 'two')).toMatchObject({ isCollected: true });
    expect(filesOf(store)).toEqual(['images/one%3Alatest.json', ...layerFiles(BASE)]);
    removeImage(store, 'one');
    expect(filesOf(store)).toEqual([]);
  });

  it('keeps the layers that a container stands on, as long as its directory is there', async () => {
    using scratch = new Scratch();
    const store = await twoImages(scratch);
    const { layers, files } = findImage(store, 'two');
    const directory = scratch.join('container');
    openStore(directory);
    writeLease(store, { directory, layers, files });
    removeImage(store, 'two');
    removeImage(store, 'one');
    expect(filesOf(store).filter((file) => file.startsWith('layers'))).toEqual(layerFiles(BASE, TOP));
    rmSync(directory, { recursive: true });
    collectGarbage(store);
    expect(filesOf(store)).toEqual([]);
  });

  it('leaves the sweeping to whoever is still adding', async () => {
    using scratch = new Scratch();
    const store = await twoImages(scratch);
    {
      using _adding = await store.lock('shared');
      writeFileSync(path.join(store.directory('staging'), 'unfinished'), '');
      expect(removeImage(store, 'two')).toMatchObject({ isCollected: false });
      expect(filesOf(store)).toContain('staging/unfinished');
    }
    expect(collectGarbage(store)).toBe(true);
    expect(filesOf(store)).toEqual(['images/one%3Alatest.json', ...layerFiles(BASE)]);
  });

  it('sweeps what the dead have left, at the next import', async () => {
    using scratch = new Scratch();
    const store = await twoImages(scratch);
    writeFileSync(path.join(store.directory('staging'), 'layers-sha256-dead'), 'half a layer');
    writeFileSync(path.join(store.directory('layers'), 'sha256/feed.json'), '{}');
    await importImage(store, `oci:${scratch.join('one')}`);
    expect(filesOf(store).filter((file) => /dead|feed/.test(file))).toEqual([]);
  });

  it('knows what is not there', async () => {
    using scratch = new Scratch();
    const store = await twoImages(scratch);
    expect(await failureOf(() => removeImage(store, 'three'))).toBe('there is no image "three" in the store');
    expect(await failureOf(() => findImage(store, 'two:1'))).toBe(
      'there is no image "two:1" in the store; there is "two:latest"',
    );
  });

  it('asks for a name where an ID has several', async () => {
    using scratch = new Scratch();
    const store = await twoImages(scratch);
    const { id } = await importImage(store, `oci:${scratch.join('one')}`, { name: 'other' });
    expect(await failureOf(() => removeImage(store, id))).toMatch(
      /has several names, remove them by name: "one:latest", "other:latest"$/,
    );
    expect(removeImage(store, 'other').image.name).toBe('other:latest');
    expect(removeImage(store, id).image.name).toBe('one:latest');
  });

  it('replaces a name, and collects what only the old image had', async () => {
    using scratch = new Scratch();
    const store = await twoImages(scratch);
    await importImage(store, `oci:${scratch.join('one')}`, { name: 'two' });
    expect(filesOf(store)).toEqual([
      'images/one%3Alatest.json',
      'images/two%3Alatest.json',
      ...layerFiles(BASE),
    ]);
    expect(readFileSync(path.join(store.path, 'images/two%3Alatest.json'), 'utf8')).not.toContain(
      sha256(TOP),
    );
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}
