/** Two probe reports beside each other: which values differ, leaving out what no two containers have alike. */

import { readlinkSync } from 'node:fs';
import type { ProbeReport, ReportedMount } from './probe-report.ts';

/** `mounts./dev.options[1]` → `"nosuid"`. */
export type FlatReport = ReadonlyMap<string, string>;

/** Inodes, numbers and names that are new for every container, replaced by what they say. */
export function comparable(report: ProbeReport, id: string, scratch: string): unknown {
  const { clocks: _, sessionKeyringId: __, env, mounts, descriptors, namespaces, ...rest } = report;
  const owned = Object.entries(namespaces).map(([type, link]) => [type, ownership(type, link)]);
  const kept = {
    ...rest,
    ...processNumbers(report),
    env: Object.fromEntries(env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry])),
    envCount: env.length,
    namespaces: Object.fromEntries(owned),
    mounts: keyMounts(mounts),
    descriptors: descriptors.map(({ number, type }) => ({ number, type })),
  };
  return JSON.parse(JSON.stringify(kept).replaceAll(scratch, '/SCRATCH').replaceAll(id, 'ID'));
}

function ownership(type: string, link: string): string {
  return link === readlinkSync(`/proc/self/ns/${type}`) ? 'of the host' : 'new';
}

/** In the host's namespace each process has another number, and what counts is whether they are the same. */
function processNumbers({ pid, ppid, processGroup, session, pidsByNamespace }: ProbeReport): object {
  if (pid === 1) return {};
  return {
    pid: 'PID',
    ppid: ppid === 0 ? ppid : 'PPID',
    processGroup: processGroup === pid ? 'PID' : processGroup,
    session: session === pid ? 'PID' : session,
    pidsByNamespace: pidsByNamespace.replaceAll(String(pid), 'PID'),
  };
}

/** By destination; where several lie on one, the later ones have a number. Option order says nothing. */
function keyMounts(mounts: readonly ReportedMount[]): Record<string, object> {
  const keyed: Record<string, object> = {};
  for (const { destination, device: _, ...mount } of mounts) {
    let key = destination;
    for (let number = 2; key in keyed; number++) key = `${destination}#${number}`;
    keyed[key] = {
      ...mount,
      options: mount.options.toSorted(),
      super: mount.super.toSorted(),
      propagation: mount.propagation.map((group) => group.replace(/\d+$/, 'N')).toSorted(),
    };
  }
  return keyed;
}

export function flatten(value: unknown, path = ''): FlatReport {
  if (typeof value !== 'object' || value === null) return new Map([[path, JSON.stringify(value)]]);
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) {
    return new Map([[path, JSON.stringify(value)]]);
  }
  const flat = new Map<string, string>();
  for (const [key, child] of Object.entries(value)) {
    for (const [at, text] of flatten(child, path === '' ? key : `${path}.${key}`)) flat.set(at, text);
  }
  return flat;
}

export interface Difference {
  readonly path: string;
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}

export function differences(expected: FlatReport, actual: FlatReport): Difference[] {
  const paths = new Set([...expected.keys(), ...actual.keys()]);
  return [...paths]
    .map((path) => ({ path, expected: expected.get(path), actual: actual.get(path) }))
    .filter((difference) => difference.expected !== difference.actual);
}
