/** What the validator says of a configuration, as it is printed. */

import type { Config } from '../../spec/config.ts';
import { formatSpecError } from '../../spec/spec-error.ts';
import { validateConfig } from '../../spec/validate.ts';
import { edited } from './edit-document.ts';
import { FULL_CONFIG } from './full-config.ts';

export function complaints(config: unknown): readonly string[] {
  return validateConfig(config).map(formatSpecError);
}

/** One edit of a valid configuration, and everything that is to be said of it; nothing when it stays valid. */
export type Row = readonly [path: string, value: unknown, ...complaints: string[]];

export function complaintsAfter(
  path: string,
  value: unknown,
  config: Config = FULL_CONFIG,
): readonly string[] {
  return complaints(edited(config, path, value));
}

/** A name for the test of a row: values that are long are cut. */
export function rowName([path, value, ...expected]: Row): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value, writeBigInt) ?? String(value));
  return `${expected.length > 0 ? 'refuses' : 'accepts'} ${text.length > 80 ? `${text.slice(0, 77)}...` : text} in ${path}`;
}

function writeBigInt(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
