// Which extended attributes of an image reach a container, and under which name.
import type { TarEntryType } from '../tar/entry.ts';
import type { Xattr } from '../tar/xattr.ts';

/** What overlayfs obeys: a layer that could set these could show files of others, or forge an opaque directory. */
const OVERLAY_PREFIXES: readonly string[] = ['trusted.overlay.', 'user.overlay.'];

/** Of the security namespace only what files need to work; labels and hashes are the host's to give (selinux, ima, evm). */
const SECURITY_ALLOWED: ReadonlySet<string> = new Set(['security.capability']);

const SYSTEM_ALLOWED: ReadonlySet<string> = new Set(['system.posix_acl_access', 'system.posix_acl_default']);

/** Name and value lengths share one EROFS field each; the prefix is not stored. */
const STORED_NAME_BYTES_MAX = 255;

/**
 * The attributes as they are stored. Those of overlayfs are escaped the way overlayfs does it itself, so that an
 * image with a container store in it keeps them (Linux 6.7 and newer show them under their own name again).
 */
export function applyXattrPolicy(xattrs: readonly Xattr[], type: TarEntryType): readonly Xattr[] {
  if (xattrs.length === 0) return xattrs;
  // xattr(7): only files and directories have user attributes; elsewhere the kernel would list and not read them.
  const hasUserAttributes = type === 'file' || type === 'directory';
  const kept: Xattr[] = [];
  for (const xattr of xattrs) {
    if (xattr.name.startsWith('user.') && !hasUserAttributes) continue;
    const name = storedName(xattr.name);
    if (name !== undefined) kept.push(name === xattr.name ? xattr : { name, value: xattr.value });
  }
  return kept;
}

/** `undefined` drops the attribute. */
function storedName(name: string): string | undefined {
  for (const prefix of OVERLAY_PREFIXES) {
    if (name.startsWith(prefix)) return fitting(`${prefix}overlay.${name.slice(prefix.length)}`);
  }
  if (/^(?:user|trusted)\../s.test(name)) return fitting(name);
  if (name.startsWith('security.')) return SECURITY_ALLOWED.has(name) ? name : undefined;
  return SYSTEM_ALLOWED.has(name) ? name : undefined;
}

const fitting = (name: string): string | undefined =>
  name.length <= STORED_NAME_BYTES_MAX ? name : undefined;
