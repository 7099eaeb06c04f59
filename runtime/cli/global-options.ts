// The options before the command's name, and what they come to.
import { readFileSync } from 'node:fs';
import { isErrno } from '../../sys/errno.ts';
import { RuntimeError } from '../errors.ts';
import { Log, parseLogFormat } from '../log.ts';
import type { CommandContext, OptionTable, OptionValues } from './command.ts';

export const GLOBAL_OPTIONS = {
  root: { type: 'string', value: 'dir', help: 'keep the state of containers here (default: /run/hull)' },
  log: { type: 'string', value: 'file', help: 'append the log to this file instead of standard error' },
  logFormat: { type: 'string', value: 'format', help: 'text or json (default: text)' },
  debug: { type: 'boolean', help: 'log debug messages too' },
  systemdCgroup: {
    type: 'boolean',
    help: 'let systemd make cgroups (not supported yet: refused)',
  },
  rootless: {
    type: 'string',
    value: 'mode',
    help: 'go on where cgroups may not be written: true, false or auto (default: auto)',
  },
  version: { type: 'boolean', short: 'v', help: 'print the version' },
} as const satisfies OptionTable;

export type GlobalOptions = OptionValues<typeof GLOBAL_OPTIONS>;

/** What the environment says about where a rootless user's containers live. */
export interface UserEnvironment {
  readonly XDG_RUNTIME_DIR?: string | undefined;
  readonly USER?: string | undefined;
}

const DEFAULT_ROOT = '/run/hull';

/** The map of a user namespace that is the machine's own: every id, as itself. */
const INITIAL_UID_MAP = /^\s*0\s+0\s+4294967295\s*$/;

function isInUserNamespace(): boolean {
  try {
    return !INITIAL_UID_MAP.test(readFileSync('/proc/self/uid_map', 'utf8'));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false; // a kernel without user namespaces
    throw error;
  }
}

/** runc's shouldHonorXDGRuntimeDir: a user other than root, or root of a namespace whom $USER does not call root. */
export function defaultRoot(euid: number, env: UserEnvironment, inUserNamespace: () => boolean): string {
  const directory = env.XDG_RUNTIME_DIR;
  if (directory === undefined || directory === '') return DEFAULT_ROOT;
  const isUser = euid !== 0 || (inUserNamespace() && env.USER !== 'root');
  return isUser ? `${directory}/hull` : DEFAULT_ROOT;
}

const ROOTLESS: ReadonlyMap<string, boolean | undefined> = new Map([
  ['true', true],
  ['false', false],
  ['auto', undefined],
]);

function parseRootless(mode: string): boolean | undefined {
  if (!ROOTLESS.has(mode)) throw new RuntimeError('USAGE', `invalid rootless mode: ${mode}`);
  return ROOTLESS.get(mode);
}

/** `/` would have every directory of the machine taken for a container, and `delete` remove it. */
function checkRoot(root: string): string {
  if (/^\/+$/.test(root)) {
    throw new RuntimeError('USAGE', 'Option --root argument should not be set to /');
  }
  return root;
}

/** The log first, so that what else is wrong with the options is written to it. */
export function openLog(options: GlobalOptions): Log {
  const path = options.log === '' ? undefined : options.log;
  const format = parseLogFormat(options.logFormat ?? 'text');
  return new Log({ format, debug: options.debug, ...(path === undefined ? {} : { path }) });
}

export function contextOf(options: GlobalOptions, log: Log): CommandContext {
  const given = options.root === '' ? undefined : options.root;
  const fallback = () => defaultRoot(process.geteuid?.() ?? 0, process.env, isInUserNamespace);
  return {
    root: given === undefined ? fallback() : checkRoot(given),
    isDefaultRoot: given === undefined,
    log,
    debug: options.debug,
    systemdCgroup: options.systemdCgroup,
    rootless: parseRootless(options.rootless ?? 'auto'),
  };
}
