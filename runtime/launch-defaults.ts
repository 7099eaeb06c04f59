// What a user always wants of `launch`, in a YAML file; the command line counts over it.
import { constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { boolean, list, object, oneOf, path, text } from '../spec/schema.ts';
import { formatSpecError, Report } from '../spec/spec-error.ts';
import { isErrno } from '../sys/errno.ts';
import { Fd } from '../sys/fd.ts';
import { RuntimeError } from './errors.ts';

/** Keys as the options of the command line, without their dashes. */
export interface LaunchDefaults {
  readonly env?: readonly string[];
  readonly volume?: readonly string[];
  readonly network?: 'none' | 'host';
  readonly user?: string;
  readonly workdir?: string;
  readonly 'read-only'?: boolean;
  readonly 'allow-new-privileges'?: boolean;
  readonly store?: string;
}

const TABLE = {
  env: list(text()),
  volume: list(text()),
  network: oneOf(['none', 'host']),
  user: text(),
  workdir: path(),
  'read-only': boolean,
  'allow-new-privileges': boolean,
  store: path(),
} as const;

const check = object<LaunchDefaults>(TABLE);

/** Nobody writes more defaults than that; a larger file is another one. */
const FILE_BYTES_MAX = 64 * 1024;

/**
 * @param file a missing one is no mistake unless it `isNamed`
 * @throws {RuntimeError} one line: the first thing that is wrong with it
 */
export async function readLaunchDefaults(file: string, isNamed: boolean): Promise<LaunchDefaults> {
  const content = readSmallFile(file, isNamed);
  if (content === undefined) return {};
  const { parseYaml } = await import('./yaml.ts'); // milliseconds that a launch without a file does not pay
  const value = parseYaml(file, content);
  if (value === null || value === undefined) return {};
  const report = new Report();
  check(value, '$', report);
  for (const key of Object.keys(value as object)) {
    if (!Object.hasOwn(TABLE, key))
      report.add(`$.${key}`, `is not known: one of ${Object.keys(TABLE).join(', ')}`);
  }
  const [problem] = report.errors;
  if (problem === undefined) return value as LaunchDefaults;
  throw new RuntimeError('DEFAULTS', `${file}: ${formatSpecError(problem)}`);
}

function readSmallFile(file: string, isNamed: boolean): string | undefined {
  try {
    using fd = new Fd(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK));
    const stat = fstatSync(fd.number);
    if (!stat.isFile() || stat.size > FILE_BYTES_MAX) {
      throw new RuntimeError('DEFAULTS', `${file}: not a regular file of at most ${FILE_BYTES_MAX} bytes`);
    }
    return readFileSync(fd.number, 'utf8');
  } catch (error) {
    if (!isNamed && isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
