// What the commands that make processes have in common.
import { readFileSync } from 'node:fs';
import { isErrno } from '../../sys/errno.ts';
import type { PhaseListener } from '../create.ts';
import { RuntimeError } from '../errors.ts';
import { StateStore } from '../state-store.ts';
import type { CallersTerminal } from '../terminal-relay.ts';
import type { CreationTrace } from '../trace.ts';
import type { CommandContext, OptionTable } from './command.ts';

export const BUNDLE_OPTION = {
  bundle: { type: 'string', short: 'b', value: 'dir', help: 'the bundle (default: the current directory)' },
} as const satisfies OptionTable;

export const CREATION_OPTIONS = {
  ...BUNDLE_OPTION,
  consoleSocket: { type: 'string', value: 'path', help: 'send the terminal to this socket' },
  pidFile: { type: 'string', value: 'file', help: "write the container's pid here" },
  preserveFds: {
    type: 'string',
    value: 'n',
    help: 'pass n descriptors, from 3 on, to the container (default: 0)',
  },
  trace: {
    type: 'string',
    value: 'file',
    help: 'write how long each step took to this file, as JSON lines',
  },
  noNewKeyring: { type: 'boolean', hidden: true, help: 'keep the session keyring of the caller' },
} as const satisfies OptionTable;

/** More would not be descriptors that anyone opened on purpose. */
const PRESERVED_MAX = 1024;

/** sd_listen_fds(3): how many sockets were passed to this very process, from descriptor 3 on. */
export function listenFds(): number {
  const { LISTEN_FDS, LISTEN_PID } = process.env;
  const count = Number(LISTEN_FDS);
  if (LISTEN_PID !== String(process.pid) || !Number.isInteger(count) || count < 0) return 0;
  return Math.min(count, PRESERVED_MAX);
}

/** How many descriptors go to the container: those of socket activation, then those of --preserve-fds. */
export const passedFds = (text: string | undefined): number => listenFds() + preservedFds(text, listenFds());

/** The number, after every descriptor that it promises was seen to be open. @throws {RuntimeError} */
function preservedFds(text: string | undefined, before: number): number {
  if (text === undefined) return 0;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0 || count > PRESERVED_MAX) {
    throw new RuntimeError(
      'USAGE',
      `invalid value ${JSON.stringify(text)} for --preserve-fds: not a number from 0 to ${PRESERVED_MAX}`,
    );
  }
  for (let fd = 3 + before; fd < 3 + before + count; fd++) {
    try {
      readFileSync(`/proc/self/fdinfo/${fd}`);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      throw new RuntimeError('USAGE', `unable to stat preserved-fd ${fd} (of ${count}): it is not open`);
    }
  }
  return count;
}

/** The caller's soft limit of open files, which bin/hull passes on. */
export function openFilesLimit(): number | undefined {
  const limit = Number(process.env.HULL_OPEN_FILES ?? Number.NaN);
  return Number.isSafeInteger(limit) ? limit : undefined;
}

export const isRootless = (context: CommandContext): boolean => context.rootless ?? process.geteuid?.() !== 0;

export const openStore = (context: CommandContext): StateStore => StateStore.open(context.root);

export const caller = (): CallersTerminal => ({
  input: process.stdin,
  output: process.stdout,
  error: process.stderr,
});

/** With --debug the log says how long each part of a creation took. */
export const phaseListener = ({ debug, log }: CommandContext): PhaseListener | undefined =>
  debug ? (label, milliseconds) => log.debug(`${label}: ${milliseconds.toFixed(2)} ms`) : undefined;

/** A cgroup that systemd knows nothing of would not be the one that was asked for. @throws {RuntimeError} */
export function refuseSystemdDriver({ systemdCgroup }: CommandContext): void {
  if (!systemdCgroup) return;
  throw new RuntimeError('UNSUPPORTED', '--systemd-cgroup is not supported yet: hull makes cgroups itself');
}

export async function openTrace(path: string | undefined): Promise<CreationTrace | undefined> {
  if (path === undefined) return undefined;
  const { CreationTrace } = await import('../trace.ts');
  return CreationTrace.open(path);
}
