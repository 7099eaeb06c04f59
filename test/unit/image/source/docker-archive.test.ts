import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ArchiveTree } from '../../../../image/source/archive.ts';
import { readDockerImage } from '../../../../image/source/docker-archive.ts';
import { readSlice } from '../../../../image/source/file-tree.ts';
import type { SourceImage } from '../../../../image/source/image-source.ts';
import { openSpool } from '../../../../image/store/staging.ts';
import { openStore } from '../../../../image/store/store.ts';
import { dockerArchive, sha256, TestLayout } from '../../../support/image/layout.ts';
import { failureOf } from '../../../support/image/messages.ts';
import { Scratch } from '../../../support/image/scratch.ts';
import * as tar from '../../../support/tar-maker.ts';

const BASE = tar.archive(tar.file('a', 'one'));
const TOP = tar.archive(tar.file('b', 'two'));

async function reading<T>(archive: Buffer, use: (image: SourceImage) => T, tag?: string): Promise<T> {
  using scratch = new Scratch();
  writeFileSync(scratch.join('saved.tar'), archive);
  const store = openStore(scratch.join('root'));
  using tree = await ArchiveTree.open(scratch.join('saved.tar'), () => openSpool(store));
  return use(readDockerImage(tree, tag));
}

async function failure(archive: Buffer, tag?: string): Promise<string> {
  const message = await failureOf(() => reading(archive, () => {}, tag));
  return message.replace(/"[^"]*\/saved\.tar"/, '"saved.tar"').replaceAll(/sha256:[0-9a-f]{64}/g, 'sha256:…');
}

const ONE = { repoTags: ['busybox:1.36', 'example.com:5000/a/b:c'], archives: [BASE, TOP] };
const TWO = { repoTags: ['docker.io/library/alpine:3'], archives: [TOP] };

describe('readDockerImage() of the old form', () => {
  it('reads the only image, base first', async () => {
    await reading(dockerArchive([ONE]), (image) => {
      expect(image.name).toBe('busybox:1.36');
      expect(image.manifestDigest).toBeUndefined();
      expect(image.layers.map(({ diffId, digest }) => [diffId, digest])).toEqual([
        [sha256(BASE), undefined],
        [sha256(TOP), undefined],
      ]);
      const contents = image.layers.map((layer) => {
        using slice = layer.open();
        return readSlice(slice, 2 ** 20, '');
      });
      expect(contents).toEqual([BASE, TOP]);
    });
  });

  // biome-ignore format: a table
  const TAGS: [tag: string, name: string][] = [
    ['busybox:1.36', 'busybox:1.36'], ['1.36', 'busybox:1.36'], ['docker.io/library/busybox:1.36', 'busybox:1.36'],
    ['example.com:5000/a/b:c', 'example.com:5000/a/b:c'], ['c', 'example.com:5000/a/b:c'],
    ['alpine:3', 'docker.io/library/alpine:3'], ['3', 'docker.io/library/alpine:3'],
  ];
  for (const [tag, name] of TAGS) {
    it(`finds ${tag}`, async () => {
      expect(await reading(dockerArchive([ONE, TWO]), (image) => image.name, tag)).toBe(name);
    });
  }

  it('says which images there are', async () => {
    const names = '"busybox:1.36", "example.com:5000/a/b:c", "docker.io/library/alpine:3"';
    expect(await failure(dockerArchive([ONE, TWO]))).toBe(
      `"saved.tar" holds several images, name one of them: ${names}`,
    );
    expect(await failure(dockerArchive([ONE, TWO]), 'x:1')).toBe(
      `"saved.tar" has no tag "x:1"; it has: ${names}`,
    );
    expect(await failure(dockerArchive([]))).toBe('"saved.tar" holds no image');
  });

  it('takes an image without a name', async () => {
    expect(await reading(dockerArchive([{ archives: [BASE] }]), (image) => image.name)).toBeUndefined();
  });
});

describe('readDockerImage() and what does not fit together', () => {
  const manifest = (...images: object[]): Buffer => tar.file('manifest.json', JSON.stringify(images));
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [sha256(BASE)] },
    }),
  );
  const hex = sha256(config).slice(7);
  const layer = tar.file('l/layer.tar', BASE);

  // biome-ignore format: a table
  const CASES: [what: string, archive: Buffer, message: string][] = [
    ['nothing wrong',            tar.archive(layer, tar.file(`${hex}.json`, config), manifest({ Config: `${hex}.json`, Layers: ['l/layer.tar'] })), 'succeeded'],
    ['no manifest',              tar.archive(layer), '"saved.tar" is not an archive of docker save: it has neither manifest.json nor an OCI layout'],
    ['no configuration',         tar.archive(layer, manifest({ Config: `${hex}.json`, Layers: ['l/layer.tar'] })), `"saved.tar" has no member "${hex}.json"`],
    ['a corrupt configuration',  tar.archive(layer, tar.file(`${hex}.json`, `${config} `), manifest({ Config: `${hex}.json`, Layers: ['l/layer.tar'] })), `configuration "${hex}.json" is corrupt: its digest is sha256:…`],
    ['a missing layer',          tar.archive(tar.file(`${hex}.json`, config), manifest({ Config: `${hex}.json`, Layers: ['l/layer.tar'] })), '"saved.tar" has no member "l/layer.tar"'],
    ['a layer outside',          tar.archive(tar.file('c', config), manifest({ Config: 'c', Layers: ['../../etc/passwd'] })), '"saved.tar" has no member "../../etc/passwd"'],
    ['more layers than diffIDs', tar.archive(layer, tar.file('c', config), manifest({ Config: 'c', Layers: ['l/layer.tar', 'l/layer.tar'] })), 'cannot use image of "saved.tar": manifest.json has 2 layers, but its configuration has 1'],
    ['no layers',                tar.archive(tar.file('c', config), manifest({ Config: 'c', Layers: [] })), 'manifest.json of "saved.tar" is not valid: $[0].Layers: must not be empty'],
    ['a manifest of text',       tar.archive(tar.file('manifest.json', 'x')), 'manifest.json of "saved.tar" is not valid: $: is not valid JSON: Unexpected token \'x\', "x" is not valid JSON'],
  ];
  for (const [what, archive, message] of CASES) {
    it(`meets ${what}`, async () => expect(await failure(archive)).toBe(message));
  }
});

describe('readDockerImage() of the new form', () => {
  it('reads the layout in it, by the names that containerd writes', async () => {
    using scratch = new Scratch();
    const layout = new TestLayout(scratch.path);
    const image = layout.putImage({ archives: [BASE] });
    const annotations = {
      'io.containerd.image.name': 'docker.io/library/busybox:latest',
      'org.opencontainers.image.ref.name': 'latest',
    };
    layout.writeIndex([{ ...image, annotations }]);
    layout.write(
      'manifest.json',
      JSON.stringify([{ Config: 'wrong', RepoTags: ['wrong:1'], Layers: ['wrong'] }]),
    );
    for (const tag of [
      undefined,
      'busybox',
      'busybox:latest',
      'docker.io/library/busybox:latest',
      'latest',
    ]) {
      await reading(
        layout.archive(),
        (found) => {
          expect(found.name).toBe('docker.io/library/busybox:latest');
          expect(found.manifestDigest).toBe(image.digest);
        },
        tag,
      );
    }
    expect(await failure(layout.archive(), 'wrong')).toBe(
      '"saved.tar" has no tag "wrong"; it has: "docker.io/library/busybox:latest"',
    );
  });
});
