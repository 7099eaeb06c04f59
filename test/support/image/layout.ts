// Makes image layouts and archives of docker save, piece by piece: a test can put anything anywhere.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Descriptor } from '../../../spec/image/descriptor.ts';
import type { ImageConfig } from '../../../spec/image/image-config.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../../../spec/image/media-type.ts';
import type { Platform } from '../../../spec/image/platform.ts';
import * as tar from '../tar-maker.ts';

export const sha256 = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export interface ImageParts {
  /** Uncompressed; the base first. */
  readonly archives: readonly Buffer[];
  readonly gzip?: boolean;
  readonly config?: Partial<ImageConfig>;
  readonly platform?: Platform;
  /** Changes documents before they are written, and so before they are hashed. */
  readonly editManifest?: (manifest: Record<string, unknown>) => object;
  readonly editConfig?: (config: Record<string, unknown>) => object;
}

export class TestLayout {
  readonly directory: string;
  readonly #entries: object[] = [];

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(path.join(directory, 'blobs/sha256'), { recursive: true });
    this.write('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(path.join(this.directory, name), content);
  }

  blobPath(digest: string): string {
    return path.join(this.directory, 'blobs', digest.replace(':', '/'));
  }

  put(mediaType: string, content: Uint8Array): Descriptor {
    const digest = sha256(content);
    writeFileSync(this.blobPath(digest), content);
    return { mediaType, digest, size: content.length };
  }

  putJson(mediaType: string, value: object): Descriptor {
    return this.put(mediaType, Buffer.from(JSON.stringify(value)));
  }

  putImage(parts: ImageParts): Descriptor {
    const { archives, gzip = true, platform = HOST, editManifest = same, editConfig = same } = parts;
    const config = {
      ...platform,
      config: { Cmd: ['/bin/sh'] },
      rootfs: { type: 'layers', diff_ids: archives.map(sha256) },
      ...parts.config,
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: this.putJson(OCI_CONFIG, editConfig(config)),
      layers: archives.map((archive) =>
        gzip ? this.put(`${OCI_LAYER}+gzip`, gzipSync(archive)) : this.put(OCI_LAYER, archive),
      ),
    };
    return this.putJson(OCI_MANIFEST, editManifest(manifest));
  }

  /** Writes index.json with one more entry. */
  tag(descriptor: Descriptor, tag?: string, platform?: Platform): this {
    const annotations = tag === undefined ? {} : { 'org.opencontainers.image.ref.name': tag };
    this.#entries.push({ ...descriptor, annotations, ...(platform && { platform }) });
    return this.writeIndex(this.#entries);
  }

  writeIndex(manifests: readonly object[]): this {
    this.write('index.json', JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
    return this;
  }

  /** All of it as a tar, in the order of the names. */
  archive(): Buffer {
    const names = readdirSync(this.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(this.directory, path.join(entry.parentPath, entry.name)));
    const files = names.sort().map((name) => tar.file(name, readFileSync(path.join(this.directory, name))));
    return tar.archive(...files);
  }
}

const same = (document: Record<string, unknown>): object => document;

const HOST: Platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };

/** A layout with one image, tagged `latest`. */
export function makeLayout(
  directory: string,
  archives: readonly Buffer[],
  parts: Partial<ImageParts> = {},
): TestLayout {
  const layout = new TestLayout(directory);
  return layout.tag(layout.putImage({ archives, ...parts }), 'latest');
}

export interface DockerParts {
  readonly repoTags?: readonly string[];
  readonly archives: readonly Buffer[];
  readonly config?: object;
}

/** What `docker save` wrote before version 25: no digests, no sizes, a directory for each layer. */
export function dockerArchive(images: readonly DockerParts[]): Buffer {
  const entries: Buffer[] = [];
  const manifest = images.map(({ repoTags, archives, config }, n) => {
    const bytes = Buffer.from(
      JSON.stringify({
        ...HOST,
        config: { Cmd: ['/bin/sh'] },
        rootfs: { type: 'layers', diff_ids: archives.map(sha256) },
        ...config,
      }),
    );
    const Config = `${sha256(bytes).slice('sha256:'.length)}.json`;
    entries.push(tar.file(Config, bytes));
    const Layers = archives.map((archive, layer) => {
      const folder = `${n}${layer}`.padStart(64, 'a');
      entries.push(tar.directory(`${folder}/`), tar.file(`${folder}/layer.tar`, archive));
      return `${folder}/layer.tar`;
    });
    return { Config, RepoTags: repoTags ?? null, Layers };
  });
  return tar.archive(...entries, tar.file('manifest.json', JSON.stringify(manifest)));
}
