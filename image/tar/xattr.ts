// Extended attributes as PAX records carry them.
import { LayerError, quoteBytes } from '../layer/error.ts';
import type { LayerLimits } from '../layer/limits.ts';
import type { PaxRecord } from './pax.ts';

export interface Xattr {
  /** `user.mime_type`, a byte string. */
  readonly name: string;
  readonly value: Buffer;
}

/** star's records, which everybody reads: the value as it is. */
const SCHILY_PREFIX = 'SCHILY.xattr.';
/** libarchive's: the name URL-encoded, the value in base64. */
const LIBARCHIVE_PREFIX = 'LIBARCHIVE.xattr.';

/** XATTR_NAME_MAX of the kernel. */
const XATTR_NAME_BYTES_MAX = 255;

/** The attribute that the record carries, if it carries one. */
export function decodeXattr({ key, value }: PaxRecord): Xattr | undefined {
  // The record's bytes are a view of the whole header, which is not to stay in memory for one of them.
  if (key.startsWith(SCHILY_PREFIX)) {
    return { name: checkedName(key.slice(SCHILY_PREFIX.length)), value: Buffer.from(value) };
  }
  if (key.startsWith(LIBARCHIVE_PREFIX)) {
    return { name: checkedName(decodeUrl(key.slice(LIBARCHIVE_PREFIX.length))), value: decodeBase64(value) };
  }
  return undefined;
}

/** Of two with one name the later counts; `xattrs` is in the order of the archive. */
export function lastOfEachName(xattrs: readonly Xattr[], limits: LayerLimits): readonly Xattr[] {
  if (xattrs.length === 0) return xattrs;
  const byName = new Map(xattrs.map((xattr) => [xattr.name, xattr]));
  if (byName.size > limits.xattrs) {
    throw new LayerError('LIMIT', `cannot take an entry with more than ${limits.xattrs} extended attributes`);
  }
  let total = 0;
  for (const { name, value } of byName.values()) {
    if (value.length > limits.xattrValueBytes) {
      throw new LayerError(
        'LIMIT',
        `extended attribute ${quoteBytes(name)} is longer than ${limits.xattrValueBytes} bytes`,
      );
    }
    total += name.length + value.length;
  }
  if (total > limits.xattrBytes) {
    throw new LayerError(
      'LIMIT',
      `cannot take an entry with more than ${limits.xattrBytes} bytes of extended attributes`,
    );
  }
  return [...byName.values()];
}

function checkedName(name: string): string {
  if (name === '' || name.length > XATTR_NAME_BYTES_MAX || name.includes('\0')) {
    throw new LayerError(
      'MALFORMED',
      `cannot read pax header: bad extended attribute name ${quoteBytes(name)}`,
    );
  }
  return name;
}

function decodeUrl(name: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(name)) {
    throw new LayerError(
      'MALFORMED',
      `cannot read pax header: bad extended attribute name ${quoteBytes(name)}`,
    );
  }
  return name.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function decodeBase64(value: Buffer): Buffer {
  const text = value.toString('latin1');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new LayerError('MALFORMED', 'cannot read pax header: an extended attribute is not base64');
  }
  return Buffer.from(text, 'base64');
}
