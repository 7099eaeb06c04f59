/**
 * Checks that combine, so that the schema of a type is a table: one row for each property of the interface, which the
 * compiler holds against the interface (a missing row, a row too many, a row of another type do not compile).
 */

import { INT64_MAX, UINT64_MAX } from './int64.ts';
import { memberPath, quote, type Report } from './spec-error.ts';

export interface Check<T> {
  (value: unknown, at: string, report: Report): void;
  /** Never set; it carries the type of a value that passes. */
  readonly passes?: T;
}

/** What holds between the parts of a value whose parts are each right. */
export type Rule<T> = (value: T, at: string, report: Report) => void;

/** execve(2) takes 32 pages with the NUL for one argument or variable (MAX_ARG_STRLEN); nothing else comes near. */
export const TEXT_BYTES_MAX = 131_071;

/** PATH_MAX without the NUL. */
export const PATH_BYTES_MAX = 4095;

/** NGROUPS_MAX is the largest number that the kernel gives a list (additionalGids). */
export const LIST_LENGTH_MAX = 65_536;

export interface TextLimits {
  readonly bytesMax?: number;
  /** The rule that an empty text breaks; without it, empty is allowed. */
  readonly empty?: string;
  readonly pattern?: { readonly matches: RegExp; readonly rule: string };
}

export function text(limits: TextLimits = {}): Check<string> {
  const { bytesMax = TEXT_BYTES_MAX, empty, pattern } = limits;
  return (value, at, report) => {
    if (typeof value !== 'string') report.add(at, 'must be a string');
    else if (value === '' && empty !== undefined) report.add(at, empty);
    else if (isLonger(value, bytesMax)) report.add(at, `must not be longer than ${bytesMax} bytes`);
    else if (pattern !== undefined && !pattern.matches.test(value)) report.add(at, pattern.rule);
  };
}

function isLonger(value: string, bytesMax: number): boolean {
  return value.length > bytesMax || (value.length * 3 > bytesMax && Buffer.byteLength(value) > bytesMax);
}

/** A path that the kernel will see; `empty` is the rule for an empty one. */
export function path(empty = 'must not be empty'): Check<string> {
  return text({ bytesMax: PATH_BYTES_MAX, empty });
}

export function absolutePath(empty = 'must be an absolute path'): Check<string> {
  return text({
    bytesMax: PATH_BYTES_MAX,
    empty,
    pattern: { matches: /^\//, rule: 'must be an absolute path' },
  });
}

export const boolean: Check<boolean> = (value, at, report) => {
  if (typeof value !== 'boolean') report.add(at, 'must be true or false');
};

export function integer(min: number, max: number): Check<number> {
  return (value, at, report) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return;
    report.add(at, `must be an integer from ${min} to ${max}`);
  };
}

export const uint16 = integer(0, 0xffff);
export const uint32 = integer(0, 0xffff_ffff);
export const int32 = integer(-0x8000_0000, 0x7fff_ffff);

/** A 64-bit integer. A double beyond 2^53 is refused: it is no longer the number that was written. */
export function wideInteger(min: bigint, max: bigint): Check<number | bigint> {
  return (value, at, report) => {
    const isExact = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
    if (isExact && value >= min && value <= max) return;
    report.add(at, `must be an integer from ${min} to ${max}`);
  };
}

export const uint64 = wideInteger(0n, UINT64_MAX);
export const int64 = wideInteger(-INT64_MAX - 1n, INT64_MAX);

/** One of the names; the error says which there are, and what was given. */
export function oneOf<const T extends string>(names: readonly T[]): Check<T> {
  let known: ReadonlySet<unknown> | undefined;
  return (value, at, report) => {
    known ??= new Set<unknown>(names);
    if (known.has(value)) return;
    const rule = `must be one of ${names.map((name) => `"${name}"`).join(', ')}`;
    report.add(at, typeof value === 'string' ? `${rule}, not ${quote(value)}` : rule);
  };
}

export interface ListLimits {
  readonly lengthMax?: number;
  /** The rule that an empty list breaks; without it, empty is allowed. */
  readonly empty?: string;
}

export function list<T>(item: Check<T>, limits: ListLimits = {}): Check<readonly T[]> {
  const { lengthMax = LIST_LENGTH_MAX, empty } = limits;
  return (value, at, report) => {
    if (!Array.isArray(value)) report.add(at, 'must be an array');
    else if (value.length === 0 && empty !== undefined) report.add(at, empty);
    else if (value.length > lengthMax) report.add(at, `must not have more than ${lengthMax} entries`);
    else for (let index = 0; index < value.length; index += 1) item(value[index], `${at}[${index}]`, report);
  };
}

/** A map from names that the standard leaves open. `keyRule` returns the rule that a name breaks, if any. */
export function record<T>(
  item: Check<T>,
  keyRule: (key: string) => string | undefined = () => undefined,
): Check<Readonly<Record<string, T>>> {
  return (value, at, report) => {
    if (!isObject(value)) return report.add(at, 'must be an object');
    for (const [key, member] of Object.entries(value)) {
      const broken = key === '__proto__' ? 'must not be named "__proto__"' : keyRule(key);
      if (broken !== undefined) report.add(memberPath(at, key), broken);
      item(member, memberPath(at, key), report);
    }
  };
}

export interface Required<T> {
  readonly check: Check<T>;
  readonly missing: string;
}

export function required<T>(check: Check<T>, missing = 'is required'): Required<T> {
  return { check, missing };
}

/** The table of an interface: a plain check for each optional property, `required()` for each other. */
export type Properties<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? Check<Exclude<T[K], undefined>>
    : Required<T[K]>;
};

interface Row {
  readonly name: string;
  readonly suffix: string;
  readonly check: Check<unknown>;
  readonly missing: string | undefined;
}

function rowsOf(properties: Readonly<Record<string, Check<unknown> | Required<unknown>>>): Row[] {
  return Object.entries(properties).map(([name, row]) => {
    const { check, missing } = typeof row === 'function' ? { check: row, missing: undefined } : row;
    return { name, suffix: memberPath('', name), check, missing };
  });
}

/**
 * Properties that the table does not name are left alone, as the standards demand. The rows are made when they are first
 * needed: most configurations leave most of a standard out, and hull starts anew for each.
 */
export function object<T extends object>(properties: Properties<T>): Check<T> {
  let rows: readonly Row[] | undefined;
  return (value, at, report) => {
    if (!isObject(value)) return report.add(at, 'must be an object');
    rows ??= rowsOf(properties);
    for (const { name, suffix, check, missing } of rows) {
      const member = value[name];
      if (member !== undefined) check(member, at + suffix, report);
      else if (missing !== undefined) report.add(at + suffix, missing);
    }
  };
}

/** Adds a rule to a check; it runs on values that pass the check. */
export function also<T>(check: Check<T>, rule: Rule<T>): Check<T> {
  return (value, at, report) => {
    const before = report.size;
    check(value, at, report);
    if (report.size === before) rule(value as T, at, report);
  };
}

/** No two entries of a list may agree in this property. */
export function distinct<K extends string>(name: K): Rule<readonly { readonly [P in K]: string }[]> {
  return (entries, at, report) => {
    const seen = new Set<string>();
    entries.forEach((entry, index) => {
      if (seen.has(entry[name]))
        report.add(`${at}[${index}].${name}`, `must not repeat ${quote(entry[name])}`);
      seen.add(entry[name]);
    });
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
