/** Image manifests (manifest.md of the image-spec 1.1), and Docker's of schema 2. */

import { also, type Check, list, object, required } from '../schema.ts';
import {
  type Annotations,
  annotations,
  type Descriptor,
  documentDescriptor,
  layerDescriptor,
  mediaType,
  schemaVersion,
} from './descriptor.ts';
import { absent, mediaTypeIs, readDocument } from './document.ts';
import { OCI_MANIFEST } from './media-type.ts';

export interface Manifest {
  readonly schemaVersion: number;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  /** The first is the base. */
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Annotations;
}

/** OVL_MAX_STACK: overlayfs stacks no more. */
const LAYERS_MAX = 500;

type Confusable = Manifest & { readonly manifests?: never };

const manifest: Check<Manifest> = object<Confusable>({
  schemaVersion: required(schemaVersion),
  mediaType,
  artifactType: mediaType,
  config: required(documentDescriptor),
  layers: required(list(layerDescriptor, { lengthMax: LAYERS_MAX, empty: 'must not be empty' })),
  subject: documentDescriptor,
  annotations,
  manifests: absent,
});

/** `expected` is the media type of the descriptor that led here. Throws an {@link ImageError}. */
export function parseManifest(input: string | Uint8Array, expected?: string): Manifest {
  return readDocument(input, also(manifest, mediaTypeIs('manifest', OCI_MANIFEST, expected)));
}
