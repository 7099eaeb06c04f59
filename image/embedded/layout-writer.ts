// Writes an image as an OCI layout. The same layers give the same bytes, and so the same digests.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import type { Descriptor } from '../../spec/image/descriptor.ts';
import type { ExecutionConfig, ImageConfig } from '../../spec/image/image-config.ts';
import { LAYOUT_FILE, REF_NAME_ANNOTATION } from '../../spec/image/layout.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../../spec/image/media-type.ts';
import type { Platform } from '../../spec/image/platform.ts';

/** Nobody's clock goes into an image. */
const EPOCH = new Date(0);

export type LayerFile = Partial<Omit<Header, 'size' | 'mtime'>> & {
  readonly name: string;
  readonly content?: string | Uint8Array;
};

export interface ImageContent {
  readonly tag: string;
  readonly platform: Platform;
  readonly config: ExecutionConfig;
  /** What each layer is for, and what is in it; the base first. */
  readonly layers: readonly { readonly comment: string; readonly files: readonly LayerFile[] }[];
}

export async function writeLayout(
  directory: string,
  { tag, platform, config, layers }: ImageContent,
): Promise<void> {
  mkdirSync(path.join(directory, 'blobs/sha256'), { recursive: true });
  const put = (mediaType: string, content: Uint8Array): Descriptor => {
    const hex = createHash('sha256').update(content).digest('hex');
    writeFileSync(path.join(directory, 'blobs/sha256', hex), content);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };
  const putJson = (mediaType: string, value: object): Descriptor =>
    put(mediaType, Buffer.from(JSON.stringify(value)));
  const archives = await Promise.all(layers.map(({ files }) => archive(files)));
  const imageConfig: ImageConfig = {
    created: EPOCH.toISOString(),
    ...platform,
    config,
    rootfs: {
      type: 'layers',
      diff_ids: archives.map((tar) => `sha256:${createHash('sha256').update(tar).digest('hex')}`),
    },
    history: layers.map(({ comment }) => ({ created: EPOCH.toISOString(), created_by: 'hull', comment })),
  };
  const manifest = putJson(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: putJson(OCI_CONFIG, imageConfig),
    layers: archives.map((tar) => put(`${OCI_LAYER}+gzip`, gzipSync(tar, { level: 9 }))),
  });
  const entry = { ...manifest, platform, annotations: { [REF_NAME_ANNOTATION]: tag } };
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] };
  writeFileSync(path.join(directory, 'index.json'), JSON.stringify(index));
  writeFileSync(path.join(directory, LAYOUT_FILE), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
}

async function archive(files: readonly LayerFile[]): Promise<Buffer> {
  const tar = pack();
  for (const { content = '', ...header } of files) {
    const bytes = Buffer.from(content as string);
    tar.entry({ uid: 0, gid: 0, mtime: EPOCH, ...header, size: bytes.length }, bytes);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
