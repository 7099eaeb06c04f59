// A sysctl must never change the host (rule D18): a namespace that is joined by path may be the host's own.
import { statSync } from 'node:fs';
import { NAMESPACE_KINDS } from '../namespaces/kinds.ts';
import type { Config } from '../spec/config.ts';
import { findSysctl } from '../spec/sysctl.ts';
import { RuntimeError } from './errors.ts';

/** @throws {RuntimeError} */
export function checkSysctlNamespaces({ linux }: Config): void {
  for (const key of Object.keys(linux?.sysctl ?? {})) {
    const type = findSysctl(key)?.namespace;
    const path = linux?.namespaces?.find((namespace) => namespace.type === type)?.path;
    if (type === undefined || path === undefined) continue; // a new one; that there is one, the validator has seen
    const own = statSync(`/proc/self/ns/${NAMESPACE_KINDS[type].file}`);
    const joined = statSync(path, { throwIfNoEntry: false });
    if (joined === undefined || joined.ino !== own.ino || joined.dev !== own.dev) continue;
    throw new RuntimeError(
      'SYSCTL',
      `sysctl ${JSON.stringify(key)} is not allowed: the ${type} namespace ${JSON.stringify(path)} is the host's`,
    );
  }
}
