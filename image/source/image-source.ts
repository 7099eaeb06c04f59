// An image as a source holds it: everything but the layers read, verified and consistent.
import { arch } from 'node:process';
import type { Annotations } from '../../spec/image/descriptor.ts';
import type { ImageConfig } from '../../spec/image/image-config.ts';
import type { Platform } from '../../spec/image/platform.ts';
import type { Slice } from './file-tree.ts';

export interface SourceLayer {
  /** Digest of the uncompressed tar, which names the layer in the store. */
  readonly diffId: string;
  /** Digest of the blob. Old docker archives have none: there the diffID proves the content. */
  readonly digest?: string;
  readonly mediaType: string;
  /** Bytes of the blob. */
  readonly size: number;
  open(): Slice;
}

export interface SourceImage {
  /** What the source calls it, if anything. */
  readonly name?: string;
  /** Docker archives of the old form have no manifest. */
  readonly manifestDigest?: string;
  readonly configDigest: string;
  readonly config: ImageConfig;
  readonly annotations: Annotations;
  /** The base first. */
  readonly layers: readonly SourceLayer[];
}

/** Go's names for the architectures that Node has other names for. */
const ARCHITECTURES: Readonly<Partial<Record<NodeJS.Architecture, string>>> = { x64: 'amd64', ia32: '386' };

/** What images are chosen for when nobody says. */
export const HOST_PLATFORM: Platform = { os: 'linux', architecture: ARCHITECTURES[arch] ?? arch };

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}
