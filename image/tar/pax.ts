// PAX extended headers: records of `LENGTH KEY=VALUE\n` that override what the next header says.
import { LayerError, quoteBytes } from '../layer/error.ts';

export interface PaxRecord {
  readonly key: string;
  readonly value: Buffer;
}

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;

/** A record of the largest header that is read has 7 digits; more would only be leading zeros. */
const LENGTH_DIGITS_MAX = 10;

/** The records in order, duplicates included. Refuses whatever is not exactly a sequence of records. */
export function parsePaxRecords(body: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  let at = 0;
  while (at < body.length) {
    const length = recordLength(body, at);
    const end = at + length.value;
    if (end > body.length || body[end - 1] !== NEWLINE)
      throw malformed('a record does not end where it says');
    const keyStart = at + length.digits + 1;
    const equals = body.indexOf(EQUALS, keyStart);
    if (equals === -1 || equals >= end - 1 || equals === keyStart) throw malformed('a record has no key');
    const key = body.toString('latin1', keyStart, equals);
    if (key.includes('\0')) throw malformed('a key has a NUL in it');
    records.push({ key, value: body.subarray(equals + 1, end - 1) });
    at = end;
  }
  return records;
}

function recordLength(body: Buffer, start: number): { value: number; digits: number } {
  let value = 0;
  let digits = 0;
  for (; digits < LENGTH_DIGITS_MAX; digits++) {
    const byte = body[start + digits] ?? 0;
    if (byte < ZERO || byte > NINE) break;
    value = value * 10 + (byte - ZERO);
  }
  if (digits === 0 || body[start + digits] !== SPACE || value < digits + 2) {
    throw malformed('a record does not begin with its length');
  }
  return { value, digits };
}

/** Text that becomes a path; a NUL would end it for the kernel and not for us. */
export function paxText(record: PaxRecord): string {
  const value = record.value.toString('latin1');
  if (value.includes('\0')) throw malformed(`${record.key} has a NUL in it`);
  return value;
}

/** A decimal number, as `size`, `uid` and `gid` are. */
export function paxInteger(record: PaxRecord): number {
  const value = record.value.toString('latin1', 0, 32);
  const number = Number(value);
  if (!/^[0-9]+$/.test(value) || record.value.length > 20 || !Number.isSafeInteger(number)) {
    throw malformed(`${record.key} is not a number: ${quoteBytes(value)}`);
  }
  return number;
}

export interface Timestamp {
  /** Since 1970, rounded down. */
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** `1700000000.123456789`, negative before 1970; digits past the ninth are dropped. */
export function paxTime(record: PaxRecord): Timestamp {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]{0,64}))?$/.exec(record.value.toString('latin1', 0, 128));
  if (match === null || record.value.length > 128) throw malformed(`${record.key} is not a time`);
  const [, sign, whole = '', fraction = ''] = match;
  const seconds = Number(whole);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign === '') return { seconds, nanoseconds };
  // -0 is a number in JavaScript and not a time.
  return nanoseconds === 0
    ? { seconds: 0 - seconds, nanoseconds }
    : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}

function malformed(what: string): LayerError {
  return new LayerError('MALFORMED', `cannot read pax header: ${what}`);
}
