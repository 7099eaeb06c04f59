/** Content descriptors (descriptor.md of the image-spec 1.1), and how large the content of each may be. */

import { also, type Check, integer, list, object, type Rule, record, required, text } from '../schema.ts';
import { digest } from './digest.ts';
import { type Platform, platform } from './platform.ts';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** In bytes, as stored. */
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Annotations;
  /** The content itself, in base64. */
  readonly data?: string;
  readonly artifactType?: string;
  readonly platform?: Platform;
}

export type Annotations = Readonly<Record<string, string>>;

/** What the distribution-spec asks registries to take; the largest real ones are some hundred KB. */
export const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024;

/** 1 TiB: no layer comes near, and sums of sizes stay far below 2^53. */
export const BLOB_BYTES_MAX = 2 ** 40;

const URLS_MAX = 64;
const ANNOTATION_BYTES_MAX = 262_144;

/** RFC 6838, section 4.2. */
const RESTRICTED_NAME = '[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}';

export const mediaType: Check<string> = text({
  pattern: {
    matches: new RegExp(`^${RESTRICTED_NAME}/${RESTRICTED_NAME}$`),
    rule: 'must be a media type such as "application/json"',
  },
});

export const annotations: Check<Annotations> = record(text({ bytesMax: ANNOTATION_BYTES_MAX }), (key) =>
  key === '' ? 'must not have an empty key' : undefined,
);

const base64 = also(
  text({
    bytesMax: DOCUMENT_BYTES_MAX,
    pattern: { matches: /^[A-Za-z0-9+/]*={0,2}$/, rule: 'must be base64' },
  }),
  (data, at, report) => {
    if (data.length % 4 !== 0) report.add(at, 'must be base64');
  },
);

const dataHasSize: Rule<Descriptor> = ({ data, size }, at, report) => {
  if (data === undefined) return;
  const padding = data.endsWith('==') ? 2 : Number(data.endsWith('='));
  if ((data.length / 4) * 3 - padding !== size)
    report.add(`${at}.data`, 'must have as many bytes as size says');
};

/** A descriptor of content that has between these many bytes. */
export function descriptor(bytesMin: number, bytesMax: number): Check<Descriptor> {
  return also(
    object<Descriptor>({
      mediaType: required(mediaType),
      digest: required(digest),
      size: required(integer(bytesMin, bytesMax)),
      urls: list(text(), { lengthMax: URLS_MAX }),
      annotations,
      data: base64,
      artifactType: mediaType,
      platform,
    }),
    dataHasSize,
  );
}

/** Of an index, a manifest or a configuration: no JSON object has less than two bytes. */
export const documentDescriptor: Check<Descriptor> = descriptor(2, DOCUMENT_BYTES_MAX);

/** Of a layer, or of whatever an artifact holds in the place of one. */
export const layerDescriptor: Check<Descriptor> = descriptor(1, BLOB_BYTES_MAX);

/** Of anything: an index may list what this standard does not know. */
export const anyDescriptor: Check<Descriptor> = descriptor(0, BLOB_BYTES_MAX);

/** Docker's schema 2 and the OCI's documents have the same number; schema 1 was another format. */
export const schemaVersion: Check<number> = (value, at, report) => {
  if (value !== 2) report.add(at, 'must be 2');
};
