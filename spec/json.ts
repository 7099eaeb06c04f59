/**
 * JSON as strictly as the standards mean it (runtime-spec, glossary: UTF-8, no duplicate names), and no faster to
 * exhaust than its length: `JSON.parse` reads, a scan before it sees what `JSON.parse` would hide.
 */

import { memberPath, printable, type Report } from './spec-error.ts';

/** The deepest property of a standard lies at 8; a reader that recurses must not be led to the end of its stack. */
export const JSON_DEPTH_MAX = 64;

/** Bounds what one object costs in memory; the largest real ones (labels, sysctls) have some hundred members. */
export const JSON_MEMBERS_MAX = 65_536;

/** -9223372036854775808 and 18446744073709551615; reading longer ones is quadratic work for nothing. */
const INTEGER_CHARACTERS_MAX = 20;

const TOKEN = /["{}[\],]/g;
const PLAIN_INTEGER = /^(?:0|-?[1-9]\d*)$/;

/** Finds the texts that need {@link exactNumber}; what it finds inside a string costs time only. */
const UNUSUAL_NUMBER = /[[:,]\s*(?:-?\d{16}|-?\d+[.eE]|-0)/;

const NULL_MEMBER = /:\s*null/;

interface Level {
  /** The names seen so far; absent for an array. */
  readonly keys?: Set<string>;
  key: string;
  index: number;
  isKeyNext: boolean;
}

/**
 * The value of a JSON text, or `undefined` when there is none (the report then says why). Duplicate names are reported
 * and the last one is kept, so that a validator can go on. Members that are `null` are left out: Go's reader, and so
 * every other runtime, takes them as absent. Integers beyond 2^53 come as `bigint`.
 */
export function readJson(input: string | Uint8Array, bytesMax: number, report: Report): unknown {
  const text = decodeText(input, bytesMax, report);
  if (text === undefined || !scanJson(text, report)) return undefined;
  let value: unknown;
  try {
    value = UNUSUAL_NUMBER.test(text) ? JSON.parse(text, exactNumber) : JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    report.add('$', `is not valid JSON: ${printable(error.message)}`);
    return undefined;
  }
  if (NULL_MEMBER.test(text)) dropNulls(value);
  return value;
}

function decodeText(input: string | Uint8Array, bytesMax: number, report: Report): string | undefined {
  const bytes = typeof input === 'string' ? Buffer.byteLength(input) : input.length;
  if (bytes > bytesMax) {
    report.add('$', `is longer than ${bytesMax} bytes`);
    return undefined;
  }
  if (typeof input === 'string') return input;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    report.add('$', 'is not valid UTF-8');
    return undefined;
  }
}

/**
 * Reports duplicate names, and returns whether the text is safe to parse. Of a text that is not JSON it may say
 * anything, but ends: each character is looked at a bounded number of times.
 */
function scanJson(text: string, report: Report): boolean {
  const levels: Level[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.test(text)) {
    const at = TOKEN.lastIndex - 1;
    const token = text[at];
    const level = levels.at(-1);
    if (token === '"') {
      const end = stringEnd(text, at);
      if (level?.isKeyNext && !enterMember(text.slice(at, end), levels, report)) return false;
      TOKEN.lastIndex = end;
    } else if (token === '{' || token === '[') {
      levels.push(token === '{' ? newObject() : { key: '', index: 0, isKeyNext: false });
      if (levels.length > JSON_DEPTH_MAX) {
        report.add('$', `nests deeper than ${JSON_DEPTH_MAX} levels`);
        return false;
      }
    } else if (token !== ',') levels.pop();
    else if (level?.keys !== undefined) level.isKeyNext = true;
    else if (level !== undefined) level.index += 1;
  }
  return true;
}

function newObject(): Level {
  return { keys: new Set(), key: '', index: 0, isKeyNext: true };
}

/** The index after a string's closing quote: the first that an even number of backslashes precedes. */
function stringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslash = end;
    while (text[backslash - 1] === '\\') backslash -= 1;
    if ((end - backslash) % 2 === 0) return end + 1;
  }
  return text.length;
}

function enterMember(literal: string, levels: readonly Level[], report: Report): boolean {
  const level = levels.at(-1);
  if (level?.keys === undefined) return true;
  level.isKeyNext = false;
  level.key = unescapeKey(literal);
  if (level.keys.has(level.key)) report.add(pathOf(levels), 'is given twice');
  level.keys.add(level.key);
  if (level.keys.size <= JSON_MEMBERS_MAX) return true;
  report.add(pathOf(levels.slice(0, -1)), `has more than ${JSON_MEMBERS_MAX} members`);
  return false;
}

/** `"a"` is `"\u0061"` too. A literal that does not parse is left for `JSON.parse` to refuse. */
function unescapeKey(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return String(JSON.parse(literal));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return literal;
  }
}

function pathOf(levels: readonly Level[]): string {
  let path = '$';
  for (const level of levels) {
    path = level.keys === undefined ? `${path}[${level.index}]` : memberPath(path, level.key);
  }
  return path;
}

/**
 * A reviver that keeps what a double would lose: big integers become `bigint`; spellings of an integer that Go's reader
 * refuses for one (`1e3`, `1.0`, `-0`) become NaN, which no rule accepts.
 */
function exactNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number') return value;
  const source = context?.source ?? '';
  if (!PLAIN_INTEGER.test(source)) return Number.isInteger(value) ? Number.NaN : value;
  if (Number.isSafeInteger(value)) return value;
  return source.length <= INTEGER_CHARACTERS_MAX ? BigInt(source) : Number.NaN;
}

function dropNulls(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    if (item !== null) dropNulls(item);
    else if (!Array.isArray(value)) Reflect.deleteProperty(value, key);
  }
}
