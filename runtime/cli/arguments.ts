// Command line → options and operands.
//
// Parsing stops at the first operand, as runc's does, so that `exec ctr ls -la` needs no `--`. What is plain is read
// here; whatever is not (an unknown option, a value that is missing, `-td` for `-t -d`) goes to commander, which reads
// it or says what is wrong with it. Loading commander costs 1.3 ms of the 24 that a short command takes.
import type { OptionSpec, OptionTable } from './command.ts';

type OptionValue = boolean | string | readonly string[] | undefined;

export interface ParsedArguments {
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly operands: readonly string[];
}

export function flagName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** One argument that stands for an option, or, with no `key`, one that this file does not understand. */
interface Token {
  readonly key?: string;
  readonly value?: string;
  /** In the spelling that commander takes. */
  readonly canonical: readonly string[];
}

interface Tokens {
  readonly options: readonly Token[];
  /** A `--` stood before the operands. */
  readonly isTerminated: boolean;
  readonly operands: readonly string[];
}

/** Go's flag package takes `--debug=true` as well as `--debug`. */
const BOOLEAN_VALUES: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

type Lookup = ReadonlyMap<string, readonly [key: string, spec: OptionSpec]>;

function lookupOf(table: OptionTable): Lookup {
  const lookup = new Map<string, readonly [string, OptionSpec]>();
  for (const [key, spec] of Object.entries(table)) {
    const name = flagName(key);
    lookup.set(`--${name}`, [key, spec]);
    lookup.set(`-${name}`, [key, spec]); // go-runc writes `-no-subreaper`
    if (spec.short !== undefined) lookup.set(`-${spec.short}`, [key, spec]);
  }
  return lookup;
}

/** The options so far with one more switch, which `=false` turns off again. */
function withSwitch(tokens: readonly Token[], key: string, given: string | undefined, raw: string): Token[] {
  const value = given === undefined ? true : BOOLEAN_VALUES.get(given);
  if (value === undefined) return [...tokens, { canonical: [raw] }];
  const others = tokens.filter((token) => token.key !== key);
  return value ? [...others, { key, canonical: [`--${flagName(key)}`] }] : others;
}

function valueToken(key: string, value: string | undefined): Token {
  const name = `--${flagName(key)}`;
  return value === undefined ? { canonical: [name] } : { key, value, canonical: [name, value] };
}

function tokenize(table: OptionTable, args: readonly string[]): Tokens {
  const lookup = lookupOf(table);
  let options: Token[] = [];
  let index = 0;
  for (; index < args.length; index++) {
    const raw = args[index] ?? '';
    if (raw === '--') return { options, isTerminated: true, operands: args.slice(index + 1) };
    if (raw.length < 2 || raw[0] !== '-') break;
    const equals = raw.indexOf('=');
    const [key, spec] = lookup.get(equals < 0 ? raw : raw.slice(0, equals)) ?? [];
    const attached = equals < 0 ? undefined : raw.slice(equals + 1);
    if (key === undefined || spec === undefined) options.push({ canonical: [raw] });
    else if (spec.type === 'boolean') options = withSwitch(options, key, attached, raw);
    else options.push(valueToken(key, attached ?? args[++index]));
  }
  return { options, isTerminated: false, operands: args.slice(index) };
}

function initialValues(table: OptionTable): Record<string, OptionValue> {
  const values: Record<string, OptionValue> = {};
  for (const [key, { type }] of Object.entries(table)) {
    values[key] = type === 'boolean' ? false : type === 'list' ? [] : undefined;
  }
  return values;
}

/** The arguments without commander, or undefined when they are not plain. */
export function parsePlainArguments(
  table: OptionTable,
  args: readonly string[],
): ParsedArguments | undefined {
  const tokens = tokenize(table, args);
  const options = initialValues(table);
  for (const { key, value } of tokens.options) {
    const type = key === undefined ? undefined : table[key]?.type;
    if (key === undefined || type === undefined) return undefined;
    if (type === 'boolean') options[key] = true;
    else if (type === 'string') options[key] = value;
    else options[key] = [...(options[key] as readonly string[]), value ?? ''];
  }
  return { options, operands: tokens.operands };
}

/** The same arguments in commander's spelling. */
export function canonicalArguments(table: OptionTable, args: readonly string[]): readonly string[] {
  const { options, isTerminated, operands } = tokenize(table, args);
  return [...options.flatMap((token) => token.canonical), ...(isTerminated ? ['--'] : []), ...operands];
}
