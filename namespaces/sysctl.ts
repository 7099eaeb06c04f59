// linux.sysctl, written through a procfs that no container content can have touched (rule D7).
import {
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from '../sys/abi/constants.ts';
import { cString, type Program, type Slot, slot } from '../sys/plan/program.ts';
import { close, openAt } from './paths.ts';

const STRICT = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;

/**
 * `net.ipv4.ip_forward` and `net/ipv4/ip_forward` name the same file. In the form with slashes a dot belongs to a
 * name (`net/ipv4/conf/eth0.100/forwarding`); the separator that comes first decides, as in sysctl(8).
 */
export function sysctlPath(key: string): string {
  const firstDot = key.indexOf('.');
  const firstSlash = key.indexOf('/');
  const dotted = firstDot >= 0 && (firstSlash < 0 || firstDot < firstSlash);
  if (!dotted) return key;
  return [...key].map((c) => (c === '.' ? '/' : c === '/' ? '.' : c)).join('');
}

/** Writes the values below `proc`, a descriptor of a private procfs. */
export function writeSysctls(p: Program, proc: Slot, sysctls: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(sysctls)) {
    const file = slot('sysctl');
    const label = `set the sysctl "${key}" to "${value}"`;
    const bytes = Buffer.byteLength(value);
    openAt(p, label, proc, `sys/${sysctlPath(key)}`, file, { flags: O_WRONLY, resolve: STRICT });
    p.call(label, 'write', [file, cString(value), bytes]);
    close(p, file);
  }
}
