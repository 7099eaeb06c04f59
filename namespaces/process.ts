// What the container's process is: ids, capabilities, limits of privilege, working directory, program. The same steps
// serve create and exec, in the one order that rule D14 fixes.

import type { Capabilities, Process, User } from '../spec/config/process.ts';
import {
  _LINUX_CAPABILITY_VERSION_3,
  AT_EACCESS,
  AT_FDCWD,
  CLOSE_RANGE_CLOEXEC,
  O_PATH,
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
  PR_SET_KEEPCAPS,
  PR_SET_NO_NEW_PRIVS,
  RESOLVE_NO_MAGICLINKS,
  S_IFDIR,
  S_IFMT,
  STATX_BASIC_STATS,
} from '../sys/abi/constants.ts';
import { O_DIRECTORY } from '../sys/abi/fcntl.ts';
import {
  __user_cap_data_struct,
  __user_cap_header_struct,
  STATX_BYTES,
  STATX_OFFSETS,
} from '../sys/abi/structs.ts';
import {
  type Block,
  block,
  buffer,
  cString,
  flags,
  type Program,
  place,
  type Slot,
  slot,
  stringVector,
} from '../sys/plan/program.ts';
import { CAPABILITY_NAMES, capabilityMask } from './capabilities.ts';
import { close, components, openAt } from './paths.ts';

/** What an unset process.user.umask becomes, as with runc. */
const DEFAULT_UMASK = 0o022;
const PATH_MAX = 4096;
const DIRECTORY_MODE = 0o755;

/** PER_LINUX32 of linux/personality.h. */
const PERSONALITIES = { LINUX: 0, LINUX32: 8 } as const;

export const personalityNumber = (domain: keyof typeof PERSONALITIES): number => PERSONALITIES[domain];

export interface IdentityOptions {
  readonly process: Process;
  /** False where the user namespace has setgroups denied: there is nothing to set then. */
  readonly maySetGroups: boolean;
}

/** Bounding set, groups, ids, capabilities, no_new_privs: from here on the process is the container's. */
export function becomeUser(p: Program, { process, maySetGroups }: IdentityOptions): void {
  const user: User = process.user ?? { uid: 0, gid: 0 };
  const { uid, gid } = user;
  const groups = user.additionalGids ?? [];
  if (process.capabilities !== undefined) dropBounding(p, process.capabilities);
  p.call('keep capabilities across the change of user', 'prctl', [PR_SET_KEEPCAPS, 1, 0, 0, 0]);
  if (maySetGroups) {
    p.call(`set the groups [${groups.join(', ')}]`, 'setgroups', [groups.length, groupList(groups)]);
  }
  p.call(`become gid ${gid}`, 'setresgid', [gid, gid, gid]);
  p.call(`become uid ${uid}`, 'setresuid', [uid, uid, uid]);
  p.call('keep them no longer', 'prctl', [PR_SET_KEEPCAPS, 0, 0, 0, 0]);
}

const groupList = (groups: readonly number[]): Block =>
  block(
    `[${groups.join(', ')}]`,
    new Uint8Array(Uint32Array.from(groups.length === 0 ? [0] : groups).buffer),
  );

/** A loop over all capabilities, those that this version knows no name for included. */
function dropBounding(p: Program, capabilities: Capabilities): void {
  const { bits } = capabilityMask(capabilities.bounding);
  const [number, bit, kept] = [slot('capability'), slot('capability.bit'), slot('capability.kept')];
  const [again, next, last] = [p.fresh('again'), p.fresh('next'), p.fresh('dropped')];
  const keep = (capabilities.bounding ?? []).join(', ') || 'no capability';
  const label = `keep ${keep} in the bounding set`;
  p.set(label, number, 0);
  p.set(label, bit, 1);
  p.mark(again);
  p.set(label, kept, bit, 'and', bits);
  p.branch(label, kept, 'notEqual', 0, next);
  // EINVAL: the kernel has no capability of that number, nor of a higher one.
  p.call(label, 'prctl', [PR_CAPBSET_DROP, number, 0, 0, 0], { on: { EINVAL: last } });
  p.mark(next);
  p.set(label, number, number, 'add', 1);
  p.set(label, bit, bit, 'add', bit);
  p.branch(label, number, 'below', 64, again);
  p.mark(last);
}

/** After the change of user; an empty inheritable set unless the config has one (CVE-2022-24769). */
export function setCapabilities(p: Program, capabilities: Capabilities | undefined): void {
  if (capabilities === undefined) return;
  const effective = capabilityMask(capabilities.effective).bits;
  const permitted = capabilityMask(capabilities.permitted).bits;
  const inheritable = capabilityMask(capabilities.inheritable).bits;
  const header = block(
    '{version 3}',
    __user_cap_header_struct.encode({ version: _LINUX_CAPABILITY_VERSION_3, pid: 0 }),
  );
  const half = (shift: bigint): Uint8Array => {
    const part = (bits: bigint): number => Number((bits >> shift) & 0xffffffffn);
    return __user_cap_data_struct.encode({
      effective: part(effective),
      permitted: part(permitted),
      inheritable: part(inheritable),
    });
  };
  const sets = `{effective 0x${effective.toString(16)}, permitted 0x${permitted.toString(16)}, inheritable 0x${inheritable.toString(16)}}`;
  p.call('set the capabilities', 'capset', [header, block(sets, Buffer.concat([half(0n), half(32n)]))]);
  p.call('clear the ambient capabilities', 'prctl', [
    PR_CAP_AMBIENT,
    flags(PR_CAP_AMBIENT_CLEAR_ALL, 'PR_CAP_AMBIENT_CLEAR_ALL'),
    0,
    0,
    0,
  ]);
  const { bits } = capabilityMask(capabilities.ambient);
  CAPABILITY_NAMES.forEach((name, number) => {
    if ((bits & (1n << BigInt(number))) === 0n) return;
    // EPERM: not inheritable and permitted too; runc warns and goes on.
    p.call(
      `make ${name} ambient`,
      'prctl',
      [PR_CAP_AMBIENT, flags(PR_CAP_AMBIENT_RAISE, 'PR_CAP_AMBIENT_RAISE'), flags(number, name), 0, 0],
      {
        ignore: ['EPERM'],
      },
    );
  });
}

export function setNoNewPrivileges(p: Program): void {
  p.call('allow no new privileges', 'prctl', [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
}

export function setUmask(p: Program, user: User | undefined): void {
  const umask = user?.umask ?? DEFAULT_UMASK;
  p.call(`set the umask 0${umask.toString(8)}`, 'umask', [umask]);
}

/** Creates the working directory where it is missing; still as the container's root. */
export function makeWorkingDirectory(p: Program, root: Slot, cwd: string): void {
  const names = components(cwd);
  const there = p.fresh('cwd');
  const directory = slot('cwd');
  const missing = p.fresh('cwd-missing');
  openAt(p, `look for the working directory "${cwd}"`, root, names.join('/') || '.', directory, {
    flags: O_PATH | O_DIRECTORY,
    on: { ENOENT: missing, EACCES: there },
  });
  close(p, directory);
  p.goTo(there);
  p.mark(missing);
  names.forEach((_, index) => {
    const path = `/${names.slice(0, index + 1).join('/')}`;
    p.call(`create "${path}" in the container`, 'mkdirat', [AT_FDCWD, cString(path), DIRECTORY_MODE], {
      ignore: ['EEXIST'],
    });
  });
  p.mark(there);
}

/**
 * Enters `cwd` without magic links, and checks that the kernel names the place from the container's root
 * (CVE-2024-21626). `onRefusal`: where to go on when the user may not enter.
 */
export function enterDirectory(p: Program, cwd: string, onRefusal?: string): void {
  const directory = slot('cwd');
  const label = `chdir to cwd (${JSON.stringify(cwd)}) set in config.json`;
  openAt(p, label, AT_FDCWD, cwd, directory, {
    flags: O_PATH | O_DIRECTORY,
    resolve: RESOLVE_NO_MAGICLINKS,
    ...(onRefusal === undefined ? {} : { on: { EACCES: onRefusal } }),
  });
  p.call(label, 'fchdir', [directory], onRefusal === undefined ? {} : { on: { EACCES: onRefusal } });
  close(p, directory);
}

const OUTSIDE =
  'current working directory is outside of container mount namespace root -- possible container breakout detected';

export function verifyDirectory(p: Program): void {
  const name = buffer('getcwd', PATH_MAX);
  const first = slot('getcwd.first');
  const inside = p.fresh('inside');
  const label = 'check the working directory';
  p.call(label, 'getcwd', [name, PATH_MAX], { failure: OUTSIDE });
  p.load(label, first, 1, place(name, 0));
  p.branch(label, first, 'equal', '/'.charCodeAt(0), inside);
  p.fail(label, 'EACCES', OUTSIDE);
  p.mark(inside);
}

/** PATH of execvp(3) where the environment has none is glibc's; runc looks nowhere, and so do we. */
function searchPath(env: readonly string[]): string[] {
  const entry = env.findLast((variable) => variable.startsWith('PATH='));
  return entry === undefined ? [] : entry.slice('PATH='.length).split(':');
}

/** Finds the program as the container's user, in the container's PATH; the path goes into `program`. */
export function findProgram(p: Program, process: Process, program: Slot): void {
  const { args, env = [] } = process;
  const name = args[0] ?? '';
  const quoted = JSON.stringify(name);
  const found = p.fresh('found');
  if (name.includes('/')) {
    const text = cString(name);
    p.set(`the program is ${quoted}`, program, text);
    p.call(`look for ${quoted}`, 'faccessat2', [AT_FDCWD, text, 0, 0], {
      failure: `exec: ${quoted}: stat ${name}: no such file or directory`,
    });
    p.call(`check ${quoted}`, 'faccessat2', [AT_FDCWD, text, 1, AT_EACCESS], {
      failure: `exec: ${quoted}: permission denied`,
    });
    refuseDirectory(p, name, text);
    return;
  }
  for (const directory of searchPath(env)) {
    const text = cString(`${directory === '' ? '.' : directory}/${name}`);
    const next = p.fresh('elsewhere');
    const label = `look for ${quoted} in ${JSON.stringify(directory)}`;
    p.call(label, 'faccessat2', [AT_FDCWD, text, 1, AT_EACCESS], { on: { any: next } });
    branchIfDirectory(p, label, text, next);
    p.set(`the program is ${text.text}`, program, text);
    p.goTo(found);
    p.mark(next);
  }
  p.fail(`look for ${quoted}`, 'ENOENT', `exec: ${quoted}: executable file not found in $PATH`);
  p.mark(found);
}

function refuseDirectory(p: Program, name: string, path: Block): void {
  const label = `check ${JSON.stringify(name)}`;
  const [directory, fine] = [p.fresh('directory'), p.fresh('file')];
  branchIfDirectory(p, label, path, directory);
  p.goTo(fine);
  p.mark(directory);
  p.fail(label, 'EISDIR', `exec: ${JSON.stringify(name)}: is a directory`);
  p.mark(fine);
}

function branchIfDirectory(p: Program, label: string, path: Block, to: string): void {
  const info = buffer('statx', STATX_BYTES);
  const mode = slot('statx.mode');
  p.call(label, 'statx', [AT_FDCWD, path, 0, STATX_BASIC_STATS, info]);
  p.load(label, mode, 2, place(info, STATX_OFFSETS.stx_mode));
  p.set(label, mode, mode, 'and', flags(S_IFMT, 'S_IFMT'));
  p.branch(label, mode, 'equal', flags(S_IFDIR, 'S_IFDIR'), to);
}

export interface ExecuteOptions {
  readonly program: Slot;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Descriptors 3 … 2 + preserved go to the program. */
  readonly preserved: number;
}

/** The last two steps: nothing but what was asked for stays open, and the stage is gone. */
export function execute(p: Program, { program, args, env, preserved }: ExecuteOptions): void {
  p.call('close every other descriptor on execve', 'close_range', [
    3 + preserved,
    0xffffffff,
    CLOSE_RANGE_CLOEXEC,
  ]);
  p.call(`exec ${args[0]}`, 'execve', [program, stringVector(args), stringVector(env)]);
}
