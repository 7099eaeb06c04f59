/** From the text of a `config.json`, or any value, to a {@link Config} or to everything that is wrong with it. */

import type { Process } from './config/process.ts';
import type { Config, Root } from './config.ts';
import { readJson } from './json.ts';
import { boolean, type Check, object, path, record, required, text } from './schema.ts';
import { DocumentError, Report, type SpecError } from './spec-error.ts';
import { checkStrings } from './strings.ts';
import { CONFIG_RULES } from './validate/between-parts.ts';
import { hooks } from './validate/hooks.ts';
import { linux } from './validate/linux.ts';
import { mounts } from './validate/mounts.ts';
import { process } from './validate/process.ts';
import { utsName } from './validate/text.ts';
import { ociVersion } from './validate/version.ts';
import { vm } from './validate/vm.ts';

/** Far above any real configuration (a seccomp profile has 60 KB), far below what parsing could be abused with. */
export const CONFIG_BYTES_MAX = 4 * 1024 * 1024;

/** Kubernetes allows 256 KiB for all annotations of an object together. */
const ANNOTATION_BYTES_MAX = 262_144;

export class ConfigError extends DocumentError {
  constructor(problems: readonly SpecError[]) {
    super(problems);
    this.name = 'ConfigError';
  }
}

const config: Check<Config> = object<Config>({
  ociVersion: required(ociVersion),
  process,
  root: required(object<Root>({ path: required(path()), readonly: boolean }), 'root must be specified'),
  hostname: utsName,
  domainname: utsName,
  mounts,
  hooks,
  annotations: record(text({ bytesMax: ANNOTATION_BYTES_MAX }), (key) =>
    key === '' ? 'must not have an empty key' : undefined,
  ),
  linux,
  vm,
});

/** Every problem of a value, in the order of the standard's tables; none means that the value is a {@link Config}. */
export function validateConfig(value: unknown): readonly SpecError[] {
  const report = new Report();
  check(value, report);
  return report.errors;
}

/** Reads and validates; throws a {@link ConfigError} with every problem, and nothing else. */
export function parseConfig(input: string | Uint8Array): Config {
  const report = new Report();
  const value = readJson(input, CONFIG_BYTES_MAX, report);
  if (value !== undefined) check(value, report);
  if (report.size > 0) throw new ConfigError(report.errors);
  return value as Config;
}

/** What `start` needs and `create` does not. */
export function requireProcess(config: Config): Process {
  if (config.process !== undefined) return config.process;
  throw new ConfigError([{ path: '$.process', rule: 'process property must not be empty' }]);
}

function check(value: unknown, report: Report): void {
  if (value === null) {
    report.add('$', 'config cannot be null');
    return;
  }
  checkStrings(value, report);
  config(value, '$', report);
  for (const rule of CONFIG_RULES) {
    if (report.isClean(rule.reads)) rule.apply(value as Config, report);
  }
}
