// Digests of bytes as they pass.
import { createHash, type Hash } from 'node:crypto';
import { parseDigest } from '../../spec/image/digest.ts';
import { LayerError, quoteBytes } from './error.ts';

/** Hashes what is pushed, to be compared with `expected`; without one, it only computes a sha256. */
export class DigestCheck {
  readonly #algorithm: string;
  readonly #hash: Hash;
  readonly #expected: string | undefined;

  constructor(expected: string | undefined) {
    this.#algorithm = expected === undefined ? 'sha256' : algorithmOf(expected);
    this.#hash = createHash(this.#algorithm);
    this.#expected = expected;
  }

  push(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  /** The digest of all that was pushed; an error that names `subject` if another one was expected. */
  end(subject: string): string {
    const digest = `${this.#algorithm}:${this.#hash.digest('hex')}`;
    if (this.#expected === undefined || this.#expected === digest) return digest;
    throw new LayerError('MISMATCH', `${subject} has digest ${digest}, not ${this.#expected}`);
  }
}

function algorithmOf(digest: string): string {
  const algorithm = parseDigest(digest)?.algorithm;
  // Node has no blake3, and no registry has been seen to use it.
  if (algorithm === undefined || algorithm === 'blake3') {
    throw new LayerError('UNSUPPORTED', `cannot verify digest ${quoteBytes(digest)}`);
  }
  return algorithm;
}
