/**
 * Which sysctls a container may set. /proc/sys is only partly namespaced, so a key outside of this list would change the
 * host (`kernel.core_pattern` runs a program there: CVE-2022-0811).
 */

import type { NamespaceType } from './config/linux.ts';

export interface Sysctl {
  /** Must belong to the container, not to the host: compare the namespaces themselves, since a `path` may name the host's. */
  readonly namespace: NamespaceType;
  /** Below /proc/sys; no part of it is empty, `.` or `..`. */
  readonly path: string;
}

/** As runc's validator and ipc_namespaces(7) list them. */
// biome-ignore format: a table
const BY_NAME: ReadonlyMap<string, NamespaceType> = new Map([
  ['kernel.msgmax',          'ipc'],
  ['kernel.msgmnb',          'ipc'],
  ['kernel.msgmni',          'ipc'],
  ['kernel.sem',             'ipc'],
  ['kernel.shmall',          'ipc'],
  ['kernel.shmmax',          'ipc'],
  ['kernel.shmmni',          'ipc'],
  ['kernel.shm_rmid_forced', 'ipc'],
  ['kernel.domainname',      'uts'],
]);

// biome-ignore format: a table
const BY_PREFIX: ReadonlyMap<string, NamespaceType> = new Map([
  ['fs.mqueue.', 'ipc'],
  ['net.',       'network'],
  ['user.',      'user'],
]);

/**
 * The key with dots between its parts. sysctl(8) takes `/` as well, and which of the two comes first separates; the other
 * one then stands for itself, swapped: `net/ipv4/conf/eno2.100/rp_filter` is `net.ipv4.conf.eno2/100.rp_filter`.
 */
export function canonicalSysctl(key: string): string {
  const first = key.search(/[./]/);
  if (first === -1 || key[first] === '.') return key;
  return key.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
}

/** `undefined` when no namespace makes the key the container's own. */
export function findSysctl(key: string): Sysctl | undefined {
  const name = canonicalSysctl(key);
  const parts = name.split('.').map((part) => part.replaceAll('/', '.'));
  if (parts.some((part) => !isFileName(part))) return undefined;
  const path = parts.join('/');
  const namespace = BY_NAME.get(name);
  if (namespace !== undefined) return { namespace, path };
  for (const [prefix, prefixNamespace] of BY_PREFIX) {
    if (name.startsWith(prefix)) return { namespace: prefixNamespace, path };
  }
  return undefined;
}

function isFileName(part: string): boolean {
  return part !== '.' && part !== '..' && /^[^\s\p{Cc}]+$/u.test(part);
}
