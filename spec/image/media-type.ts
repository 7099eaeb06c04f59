/** Media types of the image-spec 1.1 (media-types.md) and of Docker's schema 2, which registries still serve. */

export type Compression = 'none' | 'gzip' | 'zstd';

export type MediaType =
  | { readonly kind: 'index' | 'manifest' | 'config' | 'layout' | 'empty' }
  | { readonly kind: 'layer'; readonly compression: Compression };

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json';
export const DOCKER_MANIFEST_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';

/** Layers that a registry may not pass on are deprecated, but must still be read. */
// biome-ignore format: a table
const MEDIA_TYPES: ReadonlyMap<string, MediaType> = new Map<string, MediaType>([
  [OCI_INDEX,                                                        { kind: 'index' }],
  [OCI_MANIFEST,                                                     { kind: 'manifest' }],
  [OCI_CONFIG,                                                       { kind: 'config' }],
  [OCI_LAYER,                                                        { kind: 'layer', compression: 'none' }],
  [`${OCI_LAYER}+gzip`,                                              { kind: 'layer', compression: 'gzip' }],
  [`${OCI_LAYER}+zstd`,                                              { kind: 'layer', compression: 'zstd' }],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar',        { kind: 'layer', compression: 'none' }],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',   { kind: 'layer', compression: 'gzip' }],
  ['application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',   { kind: 'layer', compression: 'zstd' }],
  ['application/vnd.oci.layout.header.v1+json',                      { kind: 'layout' }],
  [OCI_EMPTY,                                                        { kind: 'empty' }],
  [DOCKER_MANIFEST_LIST,                                             { kind: 'index' }],
  [DOCKER_MANIFEST,                                                  { kind: 'manifest' }],
  [DOCKER_CONFIG,                                                    { kind: 'config' }],
  ['application/vnd.docker.image.rootfs.diff.tar',                   { kind: 'layer', compression: 'none' }],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip',              { kind: 'layer', compression: 'gzip' }],
  ['application/vnd.docker.image.rootfs.diff.tar.zstd',              { kind: 'layer', compression: 'zstd' }],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar',           { kind: 'layer', compression: 'none' }],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',      { kind: 'layer', compression: 'gzip' }],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar.zstd',      { kind: 'layer', compression: 'zstd' }],
]);

/** `undefined` for a type that neither standard knows: in an index such an entry is to be passed over. */
export function findMediaType(name: string): MediaType | undefined {
  return MEDIA_TYPES.get(name);
}
