/** Digests (descriptor.md of the image-spec 1.1): parsed before any part of one becomes a path. */

import { type Check, text } from '../schema.ts';

export type DigestAlgorithm = 'sha256' | 'sha512' | 'blake3';

export interface Digest {
  readonly algorithm: DigestAlgorithm;
  /** Lower case, and of the algorithm's length. */
  readonly hex: string;
}

/** The registered algorithms, each with the length of its hex. */
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}|blake3:[0-9a-f]{64})$/;

/** `undefined` unless the text is exactly `ALGORITHM:HEX` of a registered algorithm. */
export function parseDigest(value: string): Digest | undefined {
  if (!DIGEST.test(value)) return undefined;
  const colon = value.indexOf(':');
  return { algorithm: value.slice(0, colon) as DigestAlgorithm, hex: value.slice(colon + 1) };
}

export function formatDigest({ algorithm, hex }: Digest): string {
  return `${algorithm}:${hex}`;
}

export const digest: Check<string> = text({
  pattern: { matches: DIGEST, rule: 'must be a sha256, sha512 or blake3 digest in lower case' },
});
