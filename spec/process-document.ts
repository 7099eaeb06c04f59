/** A process object by itself, as `exec --process FILE` takes it. */

import type { Process } from './config/process.ts';
import { readJson } from './json.ts';
import { Report } from './spec-error.ts';
import { checkStrings } from './strings.ts';
import { process } from './validate/process.ts';
import { CONFIG_BYTES_MAX, ConfigError } from './validate.ts';

/** Reads and validates; throws a {@link ConfigError} with every problem. */
export function parseProcess(input: string | Uint8Array): Process {
  const report = new Report();
  const value = readJson(input, CONFIG_BYTES_MAX, report);
  if (value !== undefined) {
    checkStrings(value, report);
    process(value, '$', report);
  }
  if (report.size > 0) throw new ConfigError(report.errors);
  return value as Process;
}
