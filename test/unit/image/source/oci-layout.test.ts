import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DirectoryTree } from '../../../../image/source/file-tree.ts';
import type { SourceImage } from '../../../../image/source/image-source.ts';
import { readLayoutImage } from '../../../../image/source/oci-layout.ts';
import { DOCKER_MANIFEST, OCI_INDEX } from '../../../../spec/image/media-type.ts';
import type { Platform } from '../../../../spec/image/platform.ts';
import { makeLayout, sha256, TestLayout } from '../../../support/image/layout.ts';
import { failureOf } from '../../../support/image/messages.ts';
import { Scratch } from '../../../support/image/scratch.ts';
import * as tar from '../../../support/tar-maker.ts';

const BASE = tar.archive(tar.file('a', 'one'));
const TOP = tar.archive(tar.file('b', 'two'));
const AMD64: Platform = { os: 'linux', architecture: 'amd64' };
const ARM64: Platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };

function read(layout: TestLayout, tag?: string, platform?: Platform): SourceImage {
  using tree = DirectoryTree.open(layout.directory);
  return readLayoutImage(tree, tag, platform);
}

/** Builds a layout in a directory of its own, and gives what reading it says. */
async function reading(
  make: (layout: TestLayout) => unknown,
  tag?: string,
  platform?: Platform,
): Promise<string> {
  using scratch = new Scratch();
  const layout = new TestLayout(scratch.path);
  await make(layout);
  const message = await failureOf(() => read(layout, tag, platform));
  return message.replaceAll(scratch.path, 'DIR').replaceAll(/sha256:[0-9a-f]{64}/g, 'sha256:…');
}

/** The twin of every refusal below: the same image with nothing wrong in it. */
describe('readLayoutImage()', () => {
  it('reads an image, base first', () => {
    using scratch = new Scratch();
    const image = read(makeLayout(scratch.path, [BASE, TOP]));
    expect(image).toMatchObject({ name: 'latest', config: { os: 'linux', config: { Cmd: ['/bin/sh'] } } });
    expect(image.layers.map(({ diffId }) => diffId)).toEqual([BASE, TOP].map(sha256));
    expect(image.configDigest).not.toBe(image.manifestDigest);
  });

  it('finds an image by tag, by digest, and alone without either', () => {
    using scratch = new Scratch();
    const layout = new TestLayout(scratch.path);
    const one = layout.putImage({ archives: [BASE] });
    const two = layout.putImage({ archives: [BASE, TOP] });
    layout.tag(one, 'one').tag(two, 'two');
    expect(read(layout, 'one').manifestDigest).toBe(one.digest);
    expect(read(layout, two.digest).manifestDigest).toBe(two.digest);
    expect(read(layout.writeIndex([two])).manifestDigest).toBe(two.digest);
  });

  it('says which tags there are', async () => {
    const make = (layout: TestLayout): unknown => {
      const image = layout.putImage({ archives: [BASE] });
      return layout.tag(image, 'one').tag(image, 'two');
    };
    expect(await reading(make, 'three')).toBe('"DIR" has no tag "three"; it has: "one", "two"');
    expect(await reading(make)).toBe('"DIR" holds several images, name one of them: "one", "two"');
    expect(await reading((layout) => layout.writeIndex([]))).toBe('"DIR" holds no image');
  });

  it('follows symbolic links inside the layout and never out of it', () => {
    using scratch = new Scratch();
    const image = new TestLayout(scratch.join('real')).putImage({ archives: [BASE] });
    const inside = makeLayout(scratch.join('layout'), [BASE]);
    symlinkSync(path.basename(inside.blobPath(image.digest)), inside.blobPath(sha256(Buffer.from('x'))));
    expect(read(inside).manifestDigest).toBe(image.digest);
    rmSync(inside.blobPath(image.digest));
    symlinkSync(scratch.join('real/blobs/sha256', image.digest.slice(7)), inside.blobPath(image.digest));
    expect(() => read(inside)).toThrow(`blob ${image.digest} is missing`);
  });
});

describe('readLayoutImage() for a platform', () => {
  function both(layout: TestLayout): TestLayout {
    const amd64 = layout.putImage({ archives: [BASE], platform: AMD64 });
    const arm64 = layout.putImage({ archives: [TOP], platform: ARM64 });
    return layout.tag(amd64, 't', AMD64).tag(arm64, 't', ARM64);
  }

  it('chooses among the entries of one tag', () => {
    using scratch = new Scratch();
    const layout = both(new TestLayout(scratch.path));
    expect(read(layout, 't', ARM64).config.architecture).toBe('arm64');
    expect(read(layout, 't', AMD64).config.architecture).toBe('amd64');
    expect(read(layout, undefined, { os: 'linux', architecture: 'aarch64' }).config.architecture).toBe(
      'arm64',
    );
  });

  it('follows nested indexes, as far as anybody nests them', async () => {
    using scratch = new Scratch();
    const layout = new TestLayout(scratch.path);
    let entry = layout.putImage({ archives: [BASE], platform: AMD64 });
    for (let depth = 0; depth < 4; depth++) {
      entry = layout.putJson(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] });
    }
    expect(read(layout.writeIndex([entry]), undefined, AMD64).config.architecture).toBe('amd64');
    entry = layout.putJson(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] });
    expect(await failureOf(() => read(layout.writeIndex([entry])))).toMatch(/nest deeper than 4$/);
  });

  it('says which platforms there are', async () => {
    const riscv = { os: 'linux', architecture: 'riscv64' };
    expect(await reading(both, 't', riscv)).toBe(
      '"DIR" has no image for linux/riscv64; it has: "linux/amd64", "linux/arm64/v8"',
    );
    const one = (layout: TestLayout): unknown =>
      layout.tag(layout.putImage({ archives: [BASE], platform: AMD64 }), 't');
    expect(await reading(one, 't', ARM64)).toBe('image is for linux/amd64, not for linux/arm64/v8');
    expect(await reading(one, 't')).toBe('succeeded');
  });
});

describe('readLayoutImage() and confusing manifests (L-10)', () => {
  const image = (edit: (manifest: Record<string, unknown>) => object) => (layout: TestLayout) =>
    layout.tag(layout.putImage({ archives: [BASE], editManifest: edit }));
  const config = (edit: (config: Record<string, unknown>) => object) => (layout: TestLayout) =>
    layout.tag(layout.putImage({ archives: [BASE], editConfig: edit }));
  const layers = (edit: (layer: Record<string, unknown>) => object) =>
    image((manifest) => ({ ...manifest, layers: (manifest.layers as Record<string, unknown>[]).map(edit) }));
  const entry = (edit: (entry: Record<string, unknown>) => object) => (layout: TestLayout) =>
    layout.writeIndex([edit({ ...layout.putImage({ archives: [BASE] }) })]);
  const other = sha256(Buffer.from('other'));

  // biome-ignore format: a table
  const CASES: [what: string, make: (layout: TestLayout) => unknown, message: string][] = [
    ['nothing wrong',                     image((manifest) => manifest), 'succeeded'],
    ['manifest that is an index too',     image((manifest) => ({ ...manifest, manifests: [] })), 'manifest sha256:… is not valid: $.manifests: must be absent: a document is an index or a manifest, not both'],
    ['index that is a manifest too',      (layout) => layout.write('index.json', JSON.stringify({ schemaVersion: 2, manifests: [], layers: [] })), 'index.json of "DIR" is not valid: $.layers: must be absent: a document is an index or a manifest, not both'],
    ['media type of another kind',        image((manifest) => ({ ...manifest, mediaType: OCI_INDEX })), `manifest sha256:… is not valid: $.mediaType: must be the media type of an image manifest, not "${OCI_INDEX}"`],
    ['media type not the descriptor\'s',  entry((one) => ({ ...one, mediaType: DOCKER_MANIFEST })), `manifest sha256:… is not valid: $.mediaType: must be "${DOCKER_MANIFEST}", as its descriptor says`],
    ['no layers',                         image((manifest) => ({ ...manifest, layers: [] })), 'manifest sha256:… is not valid: $.layers: must not be empty'],
    ['too many layers',                   image((manifest) => ({ ...manifest, layers: Array(501).fill((manifest.layers as object[])[0]) })), 'manifest sha256:… is not valid: $.layers: must not have more than 500 entries'],
    ['digest with a path in it',          entry((one) => ({ ...one, digest: 'sha256:../../../etc/passwd' })), 'index.json of "DIR" is not valid: $.manifests[0].digest: must be a sha256, sha512 or blake3 digest in lower case'],
    ['digest in capitals',                entry((one) => ({ ...one, digest: String(one.digest).toUpperCase() })), 'index.json of "DIR" is not valid: $.manifests[0].digest: must be a sha256, sha512 or blake3 digest in lower case'],
    ['digest that is too short',          entry((one) => ({ ...one, digest: 'sha256:abc' })), 'index.json of "DIR" is not valid: $.manifests[0].digest: must be a sha256, sha512 or blake3 digest in lower case'],
    ['digest that nobody can verify',     entry((one) => ({ ...one, digest: `blake3:${'a'.repeat(64)}` })), `cannot verify digest "blake3:${'a'.repeat(64)}": blake3`],
    ['size 0',                            entry((one) => ({ ...one, size: 0 })), 'index.json of "DIR" is not valid: $.manifests[0].size: must be an integer from 2 to 4194304'],
    ['size -1',                           entry((one) => ({ ...one, size: -1 })), 'index.json of "DIR" is not valid: $.manifests[0].size: must be an integer from 2 to 4194304'],
    ['size of 5 MiB',                     entry((one) => ({ ...one, size: 5 * 2 ** 20 })), 'index.json of "DIR" is not valid: $.manifests[0].size: must be an integer from 2 to 4194304'],
    ['another blob\'s digest',            entry((one) => ({ ...one, digest: other })), 'blob sha256:… is missing in "DIR"'],
    ['layer of unknown type',             layers((layer) => ({ ...layer, mediaType: 'application/zip' })), 'cannot use layer sha256:…: "application/zip" is not a media type of layers'],
    ['layer size that is negative',       layers((layer) => ({ ...layer, size: -5 })), 'manifest sha256:… is not valid: $.layers[0].size: must be an integer from 1 to 1099511627776'],
    ['artifact',                          image((manifest) => ({ ...manifest, artifactType: 'application/vnd.example', config: { ...(manifest.config as object), mediaType: 'application/vnd.oci.empty.v1+json' } })), '"DIR" holds an artifact ("application/vnd.example"), not a container image'],
    ['fewer diffIDs than layers',         config((one) => ({ ...one, rootfs: { type: 'layers', diff_ids: [] } })), 'configuration sha256:… does not fit its manifest: $.rootfs.diff_ids: must have one entry for each layer: has 0 for 1'],
    ['configuration that is a list',      config(() => []), 'configuration sha256:… is not valid: $: must be an object (and 1 more)'],
    ['duplicate member',                  (layout) => layout.write('index.json', '{"schemaVersion":2,"manifests":[],"manifests":[]}'), 'index.json of "DIR" is not valid: $.manifests: is given twice'],
    ['data that is not the content',      entry((one) => ({ ...one, data: Buffer.alloc(Number(one.size), 'x').toString('base64') })), 'the data field of sha256:… is corrupt: its digest is sha256:…'],
    ['index.json that is a directory',    (layout) => { rmSync(path.join(layout.directory, 'index.json'), { force: true }); symlinkSync('blobs', path.join(layout.directory, 'index.json')); }, 'cannot read "DIR/index.json": not a regular file'],
    ['no index.json',                     () => {}, '"DIR" is not an OCI image layout: it has no index.json'],
    ['index.json of 5 MiB',               (layout) => layout.write('index.json', ' '.repeat(5 * 2 ** 20)), 'cannot read "DIR/index.json": 5242880 bytes are more than 4194304'],
    ['layout of a version to come',       (layout) => layout.write('oci-layout', '{"imageLayoutVersion":"2.0.0"}'), 'oci-layout of "DIR" is not valid: $.imageLayoutVersion: must be one of "1.0.0", not "2.0.0"'],
  ];
  for (const [what, make, message] of CASES) {
    it(`${message === 'succeeded' ? 'takes' : 'refuses'}: ${what}`, async () => {
      expect(await reading(make)).toBe(message);
    });
  }

  it('takes documents that descriptors carry in them', async () => {
    using scratch = new Scratch();
    const layout = new TestLayout(scratch.path);
    const image = layout.putImage({ archives: [BASE] });
    const data = readFileSync(layout.blobPath(image.digest)).toString('base64');
    rmSync(layout.blobPath(image.digest));
    expect(await failureOf(() => read(layout.writeIndex([image])))).toMatch(/is missing/);
    expect(read(layout.writeIndex([{ ...image, data }])).manifestDigest).toBe(image.digest);
  });
});

describe('readLayoutImage() and blobs on disk', () => {
  const damaged = (which: 'manifest' | 'config', change: (file: string) => void) => (layout: TestLayout) => {
    const image = layout.putImage({ archives: [BASE] });
    const manifest = JSON.parse(readFileSync(layout.blobPath(image.digest), 'utf8'));
    change(layout.blobPath(which === 'manifest' ? image.digest : manifest.config.digest));
    return layout.writeIndex([image]);
  };

  // biome-ignore format: a table
  const CASES: [what: string, change: (file: string) => void, message: RegExp][] = [
    ['unchanged',         () => {},                                               /^succeeded$/],
    ['one byte longer',   (file) => writeFileSync(file, ' ', { flag: 'a' }),      /^blob sha256:… has \d+ bytes, but its descriptor says \d+$/],
    ['cut off',           (file) => truncateSync(file, 10),                       /^blob sha256:… has 10 bytes, but its descriptor says \d+$/],
    ['of other content',  (file) => writeFileSync(file, readFileSync(file, 'latin1').replace('a', 'A'), 'latin1'), /^blob sha256:… is corrupt: its digest is sha256:…$/],
    ['a fifo',            (file) => { rmSync(file); execFileSync('mkfifo', [file]); }, /^cannot read "DIR\/blobs\/.*": not a regular file$/],
    ['gone',              (file) => rmSync(file),                                 /^blob sha256:… is missing in "DIR"$/],
  ];
  for (const which of ['manifest', 'config'] as const) {
    for (const [what, change, message] of CASES) {
      it(`meets a ${which} that is ${what}`, async () => {
        expect(await reading(damaged(which, change))).toMatch(message);
      });
    }
  }
});
