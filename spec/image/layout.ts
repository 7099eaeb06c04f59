/** The `oci-layout` file (image-layout.md of the image-spec 1.1). */

import { type Check, object, oneOf, required } from '../schema.ts';
import { readDocument } from './document.ts';

export interface Layout {
  readonly imageLayoutVersion: '1.0.0';
}

/** Present with this content in every layout, which is how one is told. */
export const LAYOUT_FILE = 'oci-layout';

/** Names the tag of an entry of a layout's `index.json`. */
export const REF_NAME_ANNOTATION = 'org.opencontainers.image.ref.name';

const layout: Check<Layout> = object<Layout>({ imageLayoutVersion: required(oneOf(['1.0.0'])) });

/** Throws an {@link ImageError}. */
export function parseLayout(input: string | Uint8Array): Layout {
  return readDocument(input, layout);
}
