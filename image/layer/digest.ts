// Digests as image-spec writes them: `sha256:` and 64 hexadecimal digits.
import { createHash, type Hash } from 'node:crypto';
import { LayerError, quoteBytes } from './error.ts';

/** Registered by image-spec and in OpenSSL, with the length of their hexadecimal form. */
const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha512', 128],
]);

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
  const [algorithm = '', hex = '', ...rest] = digest.split(':');
  if (rest.length === 0 && hex.length === HEX_DIGITS.get(algorithm) && /^[0-9a-f]+$/.test(hex))
    return algorithm;
  throw new LayerError('UNSUPPORTED', `cannot verify digest ${quoteBytes(digest)}`);
}
