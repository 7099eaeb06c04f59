/** Image indexes (image-index.md of the image-spec 1.1), and Docker's manifest lists. */

import { also, type Check, list, object, required } from '../schema.ts';
import {
  type Annotations,
  annotations,
  anyDescriptor,
  type Descriptor,
  documentDescriptor,
  mediaType,
  schemaVersion,
} from './descriptor.ts';
import { absent, mediaTypeIs, readDocument } from './document.ts';
import { findMediaType, OCI_INDEX } from './media-type.ts';

export interface ImageIndex {
  readonly schemaVersion: number;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Annotations;
}

/** An index.json lists every tag of a layout; those of large layouts have some thousand. */
const MANIFESTS_MAX = 16_384;

/** What is to be read as a document must be as small as one. */
const entry: Check<Descriptor> = (value, at, report) => {
  const { mediaType: name } = (value ?? {}) as { readonly mediaType?: unknown };
  const kind = typeof name === 'string' ? findMediaType(name)?.kind : undefined;
  const isDocument = kind === 'index' || kind === 'manifest' || kind === 'config';
  (isDocument ? documentDescriptor : anyDescriptor)(value, at, report);
};

type Confusable = ImageIndex & { readonly config?: never; readonly layers?: never };

const imageIndex: Check<ImageIndex> = object<Confusable>({
  schemaVersion: required(schemaVersion),
  mediaType,
  artifactType: mediaType,
  manifests: required(list(entry, { lengthMax: MANIFESTS_MAX })),
  subject: documentDescriptor,
  annotations,
  config: absent,
  layers: absent,
});

/** `expected` is the media type of the descriptor that led here. Throws an {@link ImageError}. */
export function parseIndex(input: string | Uint8Array, expected?: string): ImageIndex {
  return readDocument(input, also(imageIndex, mediaTypeIs('index', OCI_INDEX, expected)));
}
