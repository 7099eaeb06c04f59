// OCI image layouts (image-layout.md), in a directory or an archive: from a tag to one image.
import { type Annotations, type Descriptor, DOCUMENT_BYTES_MAX } from '../../spec/image/descriptor.ts';
import { parseImageConfig, validateImage } from '../../spec/image/image-config.ts';
import { type ImageIndex, parseIndex } from '../../spec/image/image-index.ts';
import { LAYOUT_FILE, parseLayout, REF_NAME_ANNOTATION } from '../../spec/image/layout.ts';
import { type Manifest, parseManifest } from '../../spec/image/manifest.ts';
import { findMediaType } from '../../spec/image/media-type.ts';
import { type Platform, platformDistance, selectManifest } from '../../spec/image/platform.ts';
import { formatSpecError } from '../../spec/spec-error.ts';
import { ImageError } from '../error.ts';
import { openBlob, readDocumentBlob } from './blob.ts';
import { parseDocument } from './document.ts';
import { type FileTree, readSlice } from './file-tree.ts';
import { formatPlatform, HOST_PLATFORM, type SourceImage, type SourceLayer } from './image-source.ts';
import { listNames, matchesName } from './name.ts';

const INDEX_FILE = 'index.json';

/** containerd's, and so `docker save`'s, name for an image; the standard's annotation has then only its tag. */
const CONTAINERD_NAME_ANNOTATION = 'io.containerd.image.name';

/** An index of indexes of images is the most that tools make. */
const INDEX_DEPTH_MAX = 4;

export const isLayout = (tree: FileTree): boolean => hasFile(tree, LAYOUT_FILE) && hasFile(tree, INDEX_FILE);

/** @throws {ImageError} */
export function readLayoutImage(tree: FileTree, tag?: string, platform?: Platform): SourceImage {
  readTop(tree, LAYOUT_FILE, (bytes) => parseLayout(bytes));
  const entry = chooseEntry(
    tree,
    readTop(tree, INDEX_FILE, (bytes) => parseIndex(bytes)),
    tag,
    platform,
  );
  const descriptor = descend(tree, entry, platform);
  const manifest = readBlob(tree, 'manifest', descriptor, parseManifest);
  requireImage(tree, manifest);
  const config = readBlob(tree, 'configuration', manifest.config, (bytes) => parseImageConfig(bytes));
  const [problem] = validateImage(manifest, config);
  if (problem !== undefined) {
    const what = `configuration ${manifest.config.digest} does not fit its manifest`;
    throw new ImageError('REJECTED', `${what}: ${formatSpecError(problem)}`);
  }
  requirePlatform(config, platform);
  const name = nameOf(entry);
  return {
    ...(name === undefined ? {} : { name }),
    manifestDigest: descriptor.digest,
    configDigest: manifest.config.digest,
    config,
    annotations: manifest.annotations ?? {},
    layers: manifest.layers.map((layer, index) =>
      sourceLayer(tree, layer, config.rootfs.diff_ids[index] ?? ''),
    ),
  };
}

function sourceLayer(tree: FileTree, descriptor: Descriptor, diffId: string): SourceLayer {
  const { digest, size, mediaType } = descriptor;
  if (findMediaType(mediaType)?.kind !== 'layer') {
    throw new ImageError(
      'REJECTED',
      `cannot use layer ${digest}: "${mediaType}" is not a media type of layers`,
    );
  }
  return { diffId, digest, size, mediaType, open: () => openBlob(tree, descriptor) };
}

const hasFile = (tree: FileTree, path: string): boolean => {
  using slice = tree.open(path);
  return slice !== undefined;
};

function readTop<T>(tree: FileTree, path: string, parse: (bytes: Buffer) => T): T {
  using slice = tree.open(path);
  if (slice === undefined) {
    throw new ImageError('NOT_FOUND', `"${tree.location}" is not an OCI image layout: it has no ${path}`);
  }
  const bytes = readSlice(slice, DOCUMENT_BYTES_MAX, `${tree.location}/${path}`);
  return parseDocument(`${path} of "${tree.location}"`, () => parse(bytes));
}

function readBlob<T>(
  tree: FileTree,
  kind: string,
  descriptor: Descriptor,
  parse: (bytes: Buffer, mediaType: string) => T,
): T {
  const bytes = readDocumentBlob(tree, descriptor);
  return parseDocument(`${kind} ${descriptor.digest}`, () => parse(bytes, descriptor.mediaType));
}

/** The entry that `tag` names; without one the only image, which may have one entry for each platform. */
function chooseEntry(tree: FileTree, index: ImageIndex, tag?: string, platform?: Platform): Descriptor {
  const images = index.manifests.filter(({ mediaType }) => isKind(mediaType, 'manifest', 'index'));
  const candidates = images.filter((entry) => tag === undefined || isNamed(entry, tag));
  const [first] = candidates;
  if (first === undefined) throw noSuchImage(tree, images, tag);
  if (candidates.length === 1) return first;
  const names = new Set(candidates.map(nameOf));
  if (names.size > 1) {
    const list = listNames(candidates.map(nameOf));
    throw new ImageError('NOT_FOUND', `"${tree.location}" holds several images, name one of them: ${list}`);
  }
  return selectFor({ ...index, manifests: candidates }, platform, tree.location);
}

const annotation = ({ annotations }: Descriptor, key: keyof Annotations): string | undefined =>
  annotations?.[key];

const nameOf = (entry: Descriptor): string | undefined =>
  annotation(entry, CONTAINERD_NAME_ANNOTATION) ?? annotation(entry, REF_NAME_ANNOTATION);

const isNamed = (entry: Descriptor, tag: string): boolean =>
  entry.digest === tag ||
  annotation(entry, REF_NAME_ANNOTATION) === tag ||
  matchesName(annotation(entry, CONTAINERD_NAME_ANNOTATION), tag);

function noSuchImage(tree: FileTree, images: readonly Descriptor[], tag: string | undefined): ImageError {
  if (images.length === 0) return new ImageError('NOT_FOUND', `"${tree.location}" holds no image`);
  const names = listNames(images.map(nameOf));
  return new ImageError('NOT_FOUND', `"${tree.location}" has no tag "${tag}"; it has: ${names}`);
}

/** Through nested indexes to a manifest. */
function descend(tree: FileTree, entry: Descriptor, platform: Platform | undefined): Descriptor {
  let descriptor = entry;
  for (let depth = 0; isKind(descriptor.mediaType, 'index'); depth++) {
    if (depth === INDEX_DEPTH_MAX) {
      throw new ImageError(
        'REJECTED',
        `image indexes in "${tree.location}" nest deeper than ${INDEX_DEPTH_MAX}`,
      );
    }
    const index = readBlob(tree, 'index', descriptor, parseIndex);
    descriptor = selectFor(index, platform, tree.location);
  }
  return descriptor;
}

function selectFor(index: ImageIndex, platform: Platform | undefined, location: string): Descriptor {
  const wanted = platform ?? HOST_PLATFORM;
  const selected = selectManifest(index, wanted);
  if (selected !== undefined) return selected;
  const offered = index.manifests.map((entry) => entry.platform && formatPlatform(entry.platform));
  const list = listNames(offered.filter((name) => name !== 'unknown/unknown'));
  throw new ImageError(
    'NOT_FOUND',
    `"${location}" has no image for ${formatPlatform(wanted)}; it has: ${list}`,
  );
}

function isKind(mediaType: string, ...kinds: readonly string[]): boolean {
  const kind = findMediaType(mediaType)?.kind;
  return kind !== undefined && kinds.includes(kind);
}

/** Artifacts have the form of images, and something else in the place of a configuration. */
function requireImage(tree: FileTree, { artifactType, config }: Manifest): void {
  if (isKind(config.mediaType, 'config')) return;
  const what = artifactType ?? config.mediaType;
  throw new ImageError('REJECTED', `"${tree.location}" holds an artifact ("${what}"), not a container image`);
}

/** An image that nobody chose among others may be for any machine; one that was asked for may not. */
export function requirePlatform(config: Platform, wanted: Platform | undefined): void {
  if (wanted === undefined || platformDistance(config, wanted) !== undefined) return;
  throw new ImageError(
    'NOT_FOUND',
    `image is for ${formatPlatform(config)}, not for ${formatPlatform(wanted)}`,
  );
}
