// What `exec` runs: the container's own process object, changed by what the caller said.

import type { Capabilities, Process, User } from '../spec/config/process.ts';
import type { Config } from '../spec/config.ts';
import { mergeEnvironment } from './environment.ts';
import { RuntimeError } from './errors.ts';

export interface ExecRequest {
  readonly cwd: string | undefined;
  readonly env: readonly string[];
  readonly tty: boolean;
  readonly user: string | undefined;
  readonly additionalGids: readonly string[];
  readonly noNewPrivs: boolean;
  readonly cap: readonly string[];
}

/** The kernel's uid_t, without the value that means "unchanged". */
const ID_MAX = 0xffff_fffe;

/** @throws {RuntimeError} */
export function processForExec(
  config: Config,
  given: Process | undefined,
  args: readonly string[],
  request: ExecRequest,
): Process {
  if (given !== undefined)
    return keepRestrictions({ ...given, terminal: request.tty || given.terminal === true }, config);
  if (args.length === 0) throw new RuntimeError('USAGE', 'process args cannot be empty');
  const base = config.process;
  if (base === undefined) throw new RuntimeError('NO_PROCESS', 'process property must not be empty');
  const { consoleSize: _size, ...inherited } = base;
  const user = changedUser(base.user ?? { uid: 0, gid: 0 }, request);
  return keepRestrictions(
    {
      ...inherited,
      args,
      user,
      terminal: request.tty,
      cwd: request.cwd ?? base.cwd,
      env: mergeEnvironment(base.env ?? [], request.env),
      noNewPrivileges: request.noNewPrivs || base.noNewPrivileges === true,
      ...(base.capabilities === undefined && request.cap.length === 0
        ? {}
        : { capabilities: withCapabilities(base.capabilities ?? {}, request.cap) }),
    },
    config,
  );
}

/** exec may tighten what the container has, never loosen it (rule D14). */
function keepRestrictions(process: Process, config: Config): Process {
  return {
    ...process,
    noNewPrivileges: process.noNewPrivileges === true || config.process?.noNewPrivileges === true,
  };
}

function changedUser(base: User, { user, additionalGids }: ExecRequest): User {
  const gids = additionalGids.map((text) => parseId(text, 'group'));
  if (user === undefined) return { ...base, additionalGids: [...(base.additionalGids ?? []), ...gids] };
  const [uid = '', gid] = user.split(':', 2);
  return {
    ...(base.umask === undefined ? {} : { umask: base.umask }),
    uid: parseId(uid, 'user'),
    // runc: a user without a group keeps the container's.
    gid: gid === undefined ? base.gid : parseId(gid, 'group'),
    additionalGids: gids,
  };
}

/** Decimal digits only: `1e3`, `0x0` and a name are never an id (CVE-2026-30892). */
function parseId(text: string, what: 'user' | 'group'): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(id <= ID_MAX)) {
    throw new RuntimeError(
      'USAGE',
      `invalid ${what} id ${JSON.stringify(text)}: a number from 0 to ${ID_MAX}`,
    );
  }
  return id;
}

/** Into the bounding, effective and permitted sets; ambient only where the container has inheritable ones. */
function withCapabilities(base: Capabilities, added: readonly string[]): Capabilities {
  if (added.length === 0) return base;
  const names = added.map((name) =>
    name.toUpperCase().startsWith('CAP_') ? name.toUpperCase() : `CAP_${name.toUpperCase()}`,
  );
  const join = (set: readonly string[] | undefined): string[] => [...new Set([...(set ?? []), ...names])];
  const inherits = (base.inheritable ?? []).length > 0;
  return {
    ...base,
    bounding: join(base.bounding),
    effective: join(base.effective),
    permitted: join(base.permitted),
    ...(inherits ? { ambient: join(base.ambient) } : {}),
  };
}
