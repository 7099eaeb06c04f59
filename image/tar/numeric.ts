// Numbers as tar headers hold them: octal text, or base-256 where octal was too short.
import { LayerError } from '../layer/error.ts';

const SPACE = 0x20;
const ZERO = 0x30;
const SEVEN = 0x37;

/** In the first byte: the rest is a big-endian two's complement number (GNU, star). */
const BASE_256 = 0x80;
const BASE_256_SIGN = 0x40;

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === 0;

/** Reads the `length` bytes at `start`; an empty field is 0. */
export function parseNumeric(block: Uint8Array, start: number, length: number, field: string): number {
  const first = block[start] ?? 0;
  return (first & BASE_256) === 0
    ? parseOctal(block, start, length, field)
    : parseBase256(block, start, length, field);
}

/** Blanks, digits, then a NUL (what follows it is not looked at, as everywhere) or blanks to the end. */
export function parseOctal(block: Uint8Array, start: number, length: number, field: string): number {
  const end = start + length;
  let at = start;
  while (at < end && isBlank(block[at])) at++;
  let value = 0;
  for (; at < end; at++) {
    const byte = block[at] ?? 0;
    if (byte < ZERO || byte > SEVEN) break;
    value = value * 8 + (byte - ZERO);
  }
  while (at < end && block[at] === SPACE) at++;
  if (at < end && block[at] !== 0) throw invalid(field);
  return value;
}

function parseBase256(block: Uint8Array, start: number, length: number, field: string): number {
  const negative = ((block[start] ?? 0) & BASE_256_SIGN) !== 0;
  const flip = negative ? 0xff : 0;
  // The marker bit is not part of the number: it is set to what the sign would have there.
  let value = ((block[start] ?? 0) ^ flip) & ~BASE_256;
  for (let at = start + 1; at < start + length; at++) {
    value = value * 256 + ((block[at] ?? 0) ^ flip);
    if (value > Number.MAX_SAFE_INTEGER) throw invalid(field);
  }
  return negative ? -value - 1 : value;
}

const invalid = (field: string): LayerError =>
  new LayerError('MALFORMED', `cannot read tar header: ${field} is not a number`);
