// Why a layer was not taken.

/**
 * - `MALFORMED`: bytes that a strict reader of the format does not accept, truncation included;
 * - `UNSUPPORTED`: well-formed, and nothing that a layer may use;
 * - `REFUSED`: well-formed, and it could do harm (leave the root, forge a whiteout);
 * - `LIMIT`: more of something than {@link LayerLimits} allows;
 * - `MISMATCH`: not the bytes that the manifest promised.
 */
export type LayerErrorCode = 'MALFORMED' | 'UNSUPPORTED' | 'REFUSED' | 'LIMIT' | 'MISMATCH';

/** The only error that the bytes of a layer can cause; failing reads and writes keep their own. */
export class LayerError extends Error {
  readonly code: LayerErrorCode;

  constructor(code: LayerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LayerError';
    this.code = code;
  }
}

/** A byte string as a message shows it: quoted, control characters escaped, cut where it stops being readable. */
export function quoteBytes(bytes: string): string {
  const shown = Buffer.from(bytes.slice(0, QUOTED_BYTES_MAX), 'latin1').toString('utf8');
  return JSON.stringify(bytes.length > QUOTED_BYTES_MAX ? `${shown}…` : shown);
}

const QUOTED_BYTES_MAX = 256;
