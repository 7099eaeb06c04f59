// The way into the container's namespaces: from the stage as it was started to the process that will be the
// container's, in one clone where possible.

import type { NamespaceType, TimeOffsets } from '../spec/config/linux.ts';
import {
  AT_FDCWD,
  CLONE_INTO_CGROUP,
  CLONE_NEWTIME,
  CLONE_PARENT,
  KEYCTL_JOIN_SESSION_KEYRING,
  O_WRONLY,
  PR_SET_DUMPABLE,
} from '../sys/abi/constants.ts';
import { clone_args } from '../sys/abi/structs.ts';
import {
  block,
  buffer,
  cString,
  flags,
  type Operand,
  type Program,
  place,
  type Slot,
  slot,
} from '../sys/plan/program.ts';
import { NAMESPACE_KINDS, type NamespaceChoice, namespaceFlags } from './kinds.ts';

/** The stage's end of the socket pair that it shares with the host. */
export const CONTROL = slot('control');
/** A descriptor of the container's cgroup, for CLONE_INTO_CGROUP. */
export const CGROUP = slot('cgroup');
export const namespaceFd = (type: NamespaceType): Slot => slot(`ns:${type}`);

/** What the stage tells the host, each with one value. */
export const REPORTS = {
  /** The pid of the process that the container will be, as the host sees it. */
  pid: 'tell the pid',
  /** The same for a process in between, which only needs id mappings. */
  intermediate: 'tell the pid of the process in between',
  mapIds: 'ask for the id mappings',
  runtimeHooks: 'ask for the hooks of the runtime namespace',
  terminal: 'send the terminal to the host',
  created: 'tell that the container is created',
} as const;

const ACKNOWLEDGEMENT_BYTES = 8;

/** Blocks until the host answers; a host that is gone ends the stage. */
export function awaitHost(p: Program, what: string): void {
  const length = slot('ack.length');
  const answer = buffer('ack', ACKNOWLEDGEMENT_BYTES);
  readControl(p, `wait until the host has ${what}`, answer, ACKNOWLEDGEMENT_BYTES, length);
}

/** One message from the host into `into`. */
export function readControl(p: Program, label: string, into: Operand, bytes: number, length: Slot): void {
  const again = p.fresh('again');
  const going = p.fresh('going');
  p.mark(again);
  p.call(label, 'read', [CONTROL, into, bytes], { into: length, on: { EINTR: again } });
  p.branch('is the host there?', length, 'notEqual', 0, going);
  p.call('the host is gone', 'exit_group', [1]);
  p.mark(going);
}

/** Nobody in the container may trace the stage or look into it (CVE-2016-9962, rule D11). */
export function becomeUndumpable(p: Program): void {
  p.call('become undumpable', 'prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0]);
}

/**
 * A file of the host's procfs, written before anything of the container exists. `value` is text.
 */
export function writeOwnProcFile(p: Program, file: string, value: string): void {
  const fd = slot('proc.file');
  const label = `write ${JSON.stringify(value.trim())} to /proc/self/${file}`;
  p.call(label, 'openat', [AT_FDCWD, cString(`/proc/self/${file}`), O_WRONLY], { into: fd });
  p.call(label, 'write', [fd, cString(value), Buffer.byteLength(value)]);
  p.call(label, 'close', [fd]);
}

/** Joins by path. All but the user namespace first when we have the host's privileges, else the user namespace first. */
export function joinNamespaces(p: Program, { joined }: NamespaceChoice, rootless: boolean): void {
  const types = [...joined.keys()];
  const order = rootless
    ? types.sort((a, b) => Number(b === 'user') - Number(a === 'user'))
    : types.sort((a, b) => Number(a === 'user') - Number(b === 'user'));
  for (const type of order) {
    const { flag, flagName } = NAMESPACE_KINDS[type];
    const label = `join the ${type} namespace ${JSON.stringify(joined.get(type))}`;
    p.call(label, 'setns', [namespaceFd(type), flags(flag, flagName)]);
  }
}

/** A new time namespace is for the children of who made it, and takes its offsets before the first of them. */
export function makeTimeNamespace(p: Program, offsets: TimeOffsets | undefined): void {
  p.call('make a time namespace', 'unshare', [flags(CLONE_NEWTIME, 'CLONE_NEWTIME')]);
  for (const [clock, offset] of Object.entries(offsets ?? {})) {
    if (offset === undefined) continue;
    writeOwnProcFile(p, 'timens_offsets', `${clock} ${offset.secs ?? 0} ${offset.nanosecs ?? 0}\n`);
  }
}

/**
 * clone3 into `types` as a sibling (CLONE_PARENT: the host's child, as runc's init is), in the cgroup from its first
 * instruction where one is given. The parent reports the child's pid as `report` and ends; the child goes on.
 */
export function cloneInto(
  p: Program,
  types: readonly NamespaceType[],
  intoCgroup: boolean,
  report: string,
): void {
  const { value } = namespaceFlags(types);
  const all = BigInt(value) | BigInt(CLONE_PARENT) | (intoCgroup ? BigInt(CLONE_INTO_CGROUP) : 0n);
  // With CLONE_PARENT the exit signal has to be zero: the child takes its parent's, which is SIGCHLD.
  const args = block('clone_args', clone_args.encode({ flags: all, exit_signal: 0n }));
  const child = slot('child');
  const inChild = p.fresh('child');
  const label = `clone into new namespaces (${types.join(', ') || 'none'})`;
  if (intoCgroup) p.store('name the cgroup', 8, place(args, clone_args.offsets.cgroup), CGROUP);
  p.call(label, 'clone3', [args, clone_args.size], { into: child });
  p.branch('which of the two?', child, 'equal', 0, inChild);
  p.report(report, child);
  p.call('the first process is done', 'exit_group', [0]);
  p.mark(inChild);
}

export interface EnterOptions {
  readonly choice: NamespaceChoice;
  readonly timeOffsets: TimeOffsets | undefined;
  readonly rootless: boolean;
  readonly intoCgroup: boolean;
}

/** From the started stage to the process in its namespaces. A new cgroup namespace is made later, in its cgroup. */
export function enterNamespaces(
  p: Program,
  { choice, timeOffsets, rootless, intoCgroup }: EnterOptions,
): void {
  const inClone = [...choice.fresh].filter((type) => type !== 'cgroup' && type !== 'time');
  const freshTime = choice.fresh.has('time');
  if (freshTime && choice.fresh.has('user')) {
    // The time namespace has to belong to the user namespace, so that comes first, with a process of its own.
    joinNamespaces(p, choice, rootless);
    cloneInto(p, ['user'], intoCgroup, REPORTS.intermediate);
    askForMappings(p);
    makeTimeNamespace(p, timeOffsets);
    cloneInto(
      p,
      inClone.filter((type) => type !== 'user'),
      false,
      REPORTS.pid,
    );
    return;
  }
  joinNamespaces(p, choice, rootless);
  if (freshTime) makeTimeNamespace(p, timeOffsets);
  cloneInto(p, inClone, intoCgroup, REPORTS.pid);
  if (choice.fresh.has('user')) askForMappings(p);
}

function askForMappings(p: Program): void {
  p.report(REPORTS.mapIds, 0);
  awaitHost(p, 'mapped the ids');
}

/** In a user namespace whose root is mapped: files and mounts are made as that root, not as a stranger. */
export function becomeMappedRoot(p: Program): void {
  p.call("become the user namespace's root group", 'setresgid', [0, 0, 0]);
  p.call("become the user namespace's root", 'setresuid', [0, 0, 0]);
}

/** Anonymous: a keyring with a name could be joined by another container. Refusals: no keyrings here, or quota spent. */
export function startKeyring(p: Program): void {
  p.call('start a session keyring', 'keyctl', [KEYCTL_JOIN_SESSION_KEYRING, 0], { ignore: ['any'] });
}
