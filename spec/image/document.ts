/** Reads a document of an image: strict JSON, every string sound, then its table; and that it is what it was taken for. */

import { readJson } from '../json.ts';
import type { Check, Rule } from '../schema.ts';
import { DocumentError, quote, Report, type SpecError } from '../spec-error.ts';
import { checkStrings } from '../strings.ts';
import { DOCUMENT_BYTES_MAX } from './descriptor.ts';
import { findMediaType, type MediaType } from './media-type.ts';

export class ImageError extends DocumentError {
  constructor(problems: readonly SpecError[]) {
    super(problems);
    this.name = 'ImageError';
  }
}

export function readDocument<T>(input: string | Uint8Array, check: Check<T>): T {
  const report = new Report();
  const value = readJson(input, DOCUMENT_BYTES_MAX, report);
  if (value !== undefined) {
    checkStrings(value, report);
    check(value, '$', report);
  }
  if (report.size > 0) throw new ImageError(report.errors);
  return value as T;
}

/**
 * One blob must not be an index to one reader and a manifest to the next (CVE-2021-41190): the type that a document
 * states must be of its kind and that of the descriptor which led to it; and a document that states none is the OCI's.
 */
export function mediaTypeIs(
  kind: MediaType['kind'],
  unstated: string,
  expected: string | undefined,
): Rule<{ readonly mediaType?: string }> {
  return ({ mediaType }, at, report) => {
    if (mediaType !== undefined && findMediaType(mediaType)?.kind !== kind) {
      report.add(`${at}.mediaType`, `must be the media type of an image ${kind}, not ${quote(mediaType)}`);
    } else if (expected !== undefined && (mediaType ?? unstated) !== expected) {
      report.add(`${at}.mediaType`, `must be ${quote(expected)}, as its descriptor says`);
    }
  };
}

/** For a property that only the other kind of document has. */
export const absent: Check<never> = (_value, at, report) => {
  report.add(at, 'must be absent: a document is an index or a manifest, not both');
};
