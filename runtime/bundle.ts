// A bundle: a directory with config.json and a root file system.
import { constants, existsSync, fstatSync, openSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../spec/config.ts';
import { unsupportedProperties } from '../spec/unsupported.ts';
import { CONFIG_BYTES_MAX, ConfigError, parseConfig } from '../spec/validate.ts';
import { isErrno } from '../sys/errno.ts';
import { Fd } from '../sys/fd.ts';
import { RuntimeError } from './errors.ts';
import { checkSysctlNamespaces } from './sysctl-namespaces.ts';

export interface Bundle {
  /** Absolute. */
  readonly path: string;
  readonly config: Config;
  readonly configText: Buffer;
  /** Absolute, without symlinks. */
  readonly rootfs: string;
}

/** @throws {RuntimeError} with runc's text where it has one */
export function loadBundle(directory: string): Bundle {
  const path = resolve(directory);
  const configText = readConfig(path);
  const config = parse(configText);
  const unsupported = unsupportedProperties(config);
  if (unsupported.length > 0) {
    throw new RuntimeError(
      'UNSUPPORTED',
      unsupported.map(({ path: at, rule }) => `${at}: ${rule}`).join('; '),
    );
  }
  checkSysctlNamespaces(config);
  return { path, config, configText, rootfs: findRootfs(path, config.root.path) };
}

/** A problem of the file as a whole is told with the file's name instead of `$`. */
function parse(text: Buffer): Config {
  try {
    return parseConfig(text);
  } catch (error) {
    if (!(error instanceof ConfigError) || error.problems[0]?.path !== '$') throw error;
    throw new RuntimeError('CONFIG', `config.json ${error.problems[0].rule}`);
  }
}

function readConfig(bundle: string): Buffer {
  try {
    return readRegularFile(join(bundle, 'config.json'), CONFIG_BYTES_MAX);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    if (!existsSync(bundle)) {
      throw new RuntimeError(
        'NO_BUNDLE',
        `cannot open the bundle ${JSON.stringify(bundle)}: no such directory`,
      );
    }
    throw new RuntimeError('NO_CONFIG', 'JSON specification file config.json not found', {
      hint: 'hull spec writes one',
    });
  }
}

/** Without waiting for the writer of a FIFO, and without reading a device to no end. */
export function readRegularFile(path: string, bytesMax: number): Buffer {
  using file = new Fd(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY));
  const stat = fstatSync(file.number);
  if (!stat.isFile())
    throw new RuntimeError('NO_CONFIG', `cannot read ${JSON.stringify(path)}: not a regular file`);
  if (stat.size > bytesMax) {
    throw new RuntimeError('NO_CONFIG', `cannot read ${JSON.stringify(path)}: more than ${bytesMax} bytes`);
  }
  return readFileSync(file.number);
}

function findRootfs(bundle: string, rootPath: string): string {
  try {
    const rootfs = realpathSync(resolve(bundle, rootPath));
    if (statSync(rootfs).isDirectory()) return rootfs;
    throw new Error('not a directory');
  } catch (error) {
    throw new RuntimeError('NO_ROOTFS', `invalid rootfs ${JSON.stringify(rootPath)}`, { cause: error });
  }
}
