/** Rules for `linux.sysctl`, with runc's texts. Which namespace a key needs is checked with the namespaces. */

import { also, type Check, type Rule, record, text } from '../schema.ts';
import { memberPath, quote } from '../spec-error.ts';
import { canonicalSysctl, findSysctl } from '../sysctl.ts';

/** The kernel reads one page of a value (proc_sys_call_handler()). */
const SYSCTL_VALUE_BYTES_MAX = 4095;

/** No value of a namespaced key needs a plus sign, and one smuggled a second setting into a caller (CVE-2022-0811). */
const value = text({
  bytesMax: SYSCTL_VALUE_BYTES_MAX,
  pattern: { matches: /^(?:[^\P{ASCII}\p{Cc}+]|\t)*$/u, rule: 'must be printable ASCII without "+"' },
});

const knownKeys: Rule<Readonly<Record<string, string>>> = (settings, at, report) => {
  const byPath = new Map<string, string>();
  for (const key of Object.keys(settings)) {
    const name = canonicalSysctl(key);
    const path = findSysctl(key)?.path;
    const first = path === undefined ? undefined : byPath.get(path);
    if (name === 'kernel.hostname') {
      const rule = `sysctl ${quote(name)} is not allowed as it conflicts with the OCI "hostname" field`;
      report.add(memberPath(at, key), rule);
    } else if (path === undefined) {
      report.add(memberPath(at, key), `sysctl ${quote(name)} is not in a separate kernel namespace`);
    } else if (first !== undefined) report.add(memberPath(at, key), `must not set ${quote(first)} again`);
    else byPath.set(path, key);
  }
};

export const sysctl: Check<Readonly<Record<string, string>>> = also(record(value), knownKeys);
