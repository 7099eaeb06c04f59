// What `docker save` writes: manifest.json, a configuration and a tar for each layer. Since Docker 25 the archive is
// an OCI layout as well, and then is read as one, since that has digests and sizes.
import { DOCUMENT_BYTES_MAX } from '../../spec/image/descriptor.ts';
import { readDocument } from '../../spec/image/document.ts';
import { type ImageConfig, parseImageConfig } from '../../spec/image/image-config.ts';
import { OCI_LAYER } from '../../spec/image/media-type.ts';
import type { Platform } from '../../spec/image/platform.ts';
import { type Check, list, object, required, text } from '../../spec/schema.ts';
import { ImageError } from '../error.ts';
import { digestOf } from './blob.ts';
import { parseDocument } from './document.ts';
import { type FileTree, isPlainPath, readSlice, type Slice } from './file-tree.ts';
import type { SourceImage, SourceLayer } from './image-source.ts';
import { listNames, matchesName } from './name.ts';
import { isLayout, readLayoutImage, requirePlatform } from './oci-layout.ts';

const MANIFEST_FILE = 'manifest.json';

interface DockerImage {
  readonly Config: string;
  readonly RepoTags?: readonly string[];
  readonly Layers: readonly string[];
}

const LAYERS_MAX = 500;

/** Paths inside the archive. */
const archivePath: Check<string> = text({ empty: 'must not be empty' });

const dockerImages: Check<readonly DockerImage[]> = list(
  object<DockerImage>({
    Config: required(archivePath),
    RepoTags: list(text()),
    Layers: required(list(archivePath, { lengthMax: LAYERS_MAX, empty: 'must not be empty' })),
  }),
);

/** @throws {ImageError} */
export function readDockerImage(tree: FileTree, tag?: string, platform?: Platform): SourceImage {
  if (isLayout(tree)) return readLayoutImage(tree, tag, platform);
  const images = parseDocument(`${MANIFEST_FILE} of "${tree.location}"`, () =>
    readDocument(readManifest(tree), dockerImages),
  );
  const image = chooseImage(tree, images, tag);
  const bytes = readMember(tree, image.Config);
  const configDigest = digestOf(bytes);
  requireNamedDigest(image.Config, configDigest);
  const config = parseDocument(`configuration ${JSON.stringify(image.Config)}`, () =>
    parseImageConfig(bytes),
  );
  requirePlatform(config, platform);
  const name = image.RepoTags?.find((repoTag) => tag === undefined || matchesName(repoTag, tag));
  return {
    ...(name === undefined ? {} : { name }),
    configDigest,
    config,
    annotations: {},
    layers: sourceLayers(tree, image, config),
  };
}

function sourceLayers(tree: FileTree, { Layers }: DockerImage, config: ImageConfig): SourceLayer[] {
  const { diff_ids } = config.rootfs;
  if (diff_ids.length !== Layers.length) {
    const counts = `${Layers.length} layers, but its configuration has ${diff_ids.length}`;
    throw new ImageError(
      'REJECTED',
      `cannot use image of "${tree.location}": ${MANIFEST_FILE} has ${counts}`,
    );
  }
  return Layers.map((path, index) => {
    const open = (): Slice => openMember(tree, path);
    using slice = open();
    const digest = digestInName(path);
    return {
      diffId: diff_ids[index] ?? '',
      ...(digest === undefined ? {} : { digest }),
      mediaType: OCI_LAYER,
      size: slice.size,
      open,
    };
  });
}

function chooseImage(tree: FileTree, images: readonly DockerImage[], tag: string | undefined): DockerImage {
  const names = listNames(images.flatMap(({ RepoTags = [] }) => RepoTags));
  const candidates = images.filter(
    ({ RepoTags = [] }) => tag === undefined || RepoTags.some((repoTag) => matchesName(repoTag, tag)),
  );
  const [first] = candidates;
  if (first !== undefined && candidates.length === 1) return first;
  if (images.length === 0) throw new ImageError('NOT_FOUND', `"${tree.location}" holds no image`);
  if (tag === undefined || candidates.length > 1) {
    throw new ImageError('NOT_FOUND', `"${tree.location}" holds several images, name one of them: ${names}`);
  }
  throw new ImageError('NOT_FOUND', `"${tree.location}" has no tag "${tag}"; it has: ${names}`);
}

function openMember(tree: FileTree, path: string): Slice {
  const slice = isPlainPath(path) ? tree.open(path) : undefined;
  if (slice !== undefined) return slice;
  throw new ImageError('NOT_FOUND', `"${tree.location}" has no member ${JSON.stringify(path)}`);
}

function readManifest(tree: FileTree): Buffer {
  using slice = tree.open(MANIFEST_FILE);
  if (slice !== undefined) return readSlice(slice, DOCUMENT_BYTES_MAX, MANIFEST_FILE);
  const what = `it has neither ${MANIFEST_FILE} nor an OCI layout`;
  throw new ImageError('NOT_FOUND', `"${tree.location}" is not an archive of docker save: ${what}`);
}

function readMember(tree: FileTree, path: string): Buffer {
  using slice = openMember(tree, path);
  return readSlice(slice, DOCUMENT_BYTES_MAX, path);
}

/** `blobs/sha256/HEX`; other names of layers say nothing about their content. */
const digestInName = (path: string): string | undefined => {
  const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
};

/** The configuration's name is its digest, and the image's identity: `HEX.json` or `blobs/sha256/HEX`. */
function requireNamedDigest(path: string, digest: string): void {
  const hex = /^(?:blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/.exec(path)?.[1];
  if (hex === undefined || digest === `sha256:${hex}`) return;
  throw new ImageError(
    'REJECTED',
    `configuration ${JSON.stringify(path)} is corrupt: its digest is ${digest}`,
  );
}
