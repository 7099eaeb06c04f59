// The eight kinds of namespaces. Source: namespaces(7), linux/sched.h.

import type { Namespace, NamespaceType } from '../spec/config/linux.ts';
import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
} from '../sys/abi/constants.ts';

export interface NamespaceKind {
  readonly flag: number;
  readonly flagName: string;
  /** Its name under /proc/PID/ns. */
  readonly file: string;
}

// biome-ignore format: a table
export const NAMESPACE_KINDS: Readonly<Record<NamespaceType, NamespaceKind>> = {
  user:    { flag: CLONE_NEWUSER,   flagName: 'CLONE_NEWUSER',   file: 'user' },
  pid:     { flag: CLONE_NEWPID,    flagName: 'CLONE_NEWPID',    file: 'pid' },
  network: { flag: CLONE_NEWNET,    flagName: 'CLONE_NEWNET',    file: 'net' },
  mount:   { flag: CLONE_NEWNS,     flagName: 'CLONE_NEWNS',     file: 'mnt' },
  ipc:     { flag: CLONE_NEWIPC,    flagName: 'CLONE_NEWIPC',    file: 'ipc' },
  uts:     { flag: CLONE_NEWUTS,    flagName: 'CLONE_NEWUTS',    file: 'uts' },
  cgroup:  { flag: CLONE_NEWCGROUP, flagName: 'CLONE_NEWCGROUP', file: 'cgroup' },
  time:    { flag: CLONE_NEWTIME,   flagName: 'CLONE_NEWTIME',   file: 'time' },
};

/** Which namespaces a container gets new, which it joins, and which it shares with the runtime (in neither). */
export interface NamespaceChoice {
  readonly fresh: ReadonlySet<NamespaceType>;
  /** type → path to join */
  readonly joined: ReadonlyMap<NamespaceType, string>;
}

export function chooseNamespaces(namespaces: readonly Namespace[] | undefined): NamespaceChoice {
  const fresh = new Set<NamespaceType>();
  const joined = new Map<NamespaceType, string>();
  for (const { type, path } of namespaces ?? []) {
    if (path === undefined || path === '') fresh.add(type);
    else joined.set(type, path);
  }
  return { fresh, joined };
}

/** `CLONE_NEWNS|CLONE_NEWPID` and its value. */
export function namespaceFlags(types: Iterable<NamespaceType>): { value: number; text: string } {
  const kinds = [...types].map((type) => NAMESPACE_KINDS[type]);
  return {
    value: kinds.reduce((sum, { flag }) => sum + flag, 0),
    text: kinds.map(({ flagName }) => flagName).join('|') || '0',
  };
}
