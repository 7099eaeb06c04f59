// Owner, mode, attributes and times of what was unpacked, through a descriptor or the name in a descriptor's directory.
import { chmodSync, fchmodSync, fchownSync, futimesSync, lchownSync, lutimesSync } from 'node:fs';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../../sys/abi/constants.ts';
import { timespec } from '../../sys/abi/structs.ts';
import { errnoName, SysError } from '../../sys/errno.ts';
import { trySyscall } from '../../sys/syscall.ts';
import type { Attributes } from '../layer/entry.ts';
import type { Timestamp } from '../tar/pax.ts';
import { ROOTLESS_XATTR, rootlessXattr } from './rootless.ts';

/**
 * - `exact`: as the image says; needs root.
 * - `own`: everything belongs to the caller. What the image says stays readable in the attribute that umoci and
 *   others keep it in, so that repacking the tree loses nothing.
 */
export type Ownership = 'exact' | 'own';

/** What could not be set; one line each, however many files it concerns. */
export type Warn = (subject: string) => void;

export interface Setter {
  readonly ownership: Ownership;
  readonly warn: Warn;
}

/** chown(2) clears set-user-id bits and capabilities, so it comes first; times come last. */
export function setFileAttributes(fd: number, attributes: Attributes, setter: Setter): void {
  const { mode, uid, gid, mtime } = attributes;
  if (setter.ownership === 'exact') fchownSync(fd, uid, gid);
  fchmodSync(fd, mode);
  setXattrs(attributes, setter, (name, value) => trySyscall('fsetxattr', fd, name, value, value.length, 0));
  if (isSimple(mtime)) futimesSync(fd, mtime.seconds, mtime.seconds);
  else checkTimes(trySyscall('utimensat', fd, 0, encodeTimes(mtime), 0));
}

/** Of a symbolic link, fifo or device: never followed, never opened. `path` ends in the name of one just made. */
export function setNodeAttributes(
  path: string | Buffer,
  attributes: Attributes,
  isSymlink: boolean,
  setter: Setter,
): void {
  const { mode, uid, gid, mtime } = attributes;
  if (setter.ownership === 'exact') lchownSync(path, uid, gid);
  if (!isSymlink) chmodSync(path, mode);
  const cPath = cString(path);
  const xattrs = { ...attributes, uid: 0, gid: 0 }; // the kernel has no user.* attributes for these
  setXattrs(xattrs, setter, (name, value) => trySyscall('lsetxattr', cPath, name, value, value.length, 0));
  if (isSimple(mtime)) lutimesSync(path, mtime.seconds, mtime.seconds);
  else checkTimes(trySyscall('utimensat', AT_FDCWD, cPath, encodeTimes(mtime), AT_SYMLINK_NOFOLLOW));
}

/** The path for a system call: bytes, since names need not be UTF-8. */
export function cString(path: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(path as string), Buffer.alloc(1)]);
}

type SetXattr = (name: Buffer, value: Buffer) => number;

function setXattrs({ uid, gid, xattrs }: Attributes, { ownership, warn }: Setter, set: SetXattr): void {
  for (const { name, value } of xattrs) {
    const result = set(Buffer.from(`${name}\0`, 'latin1'), value);
    if (result >= 0) continue;
    // A file system without them, or a user who may not: the files themselves are still right.
    if (!isTolerated(result, ownership)) throw new SysError('setxattr', -result, name);
    warn(`extended attribute ${JSON.stringify(name)} (${errnoName(-result)})`);
  }
  if (ownership === 'exact' || (uid === 0 && gid === 0)) return;
  const result = set(Buffer.from(`${ROOTLESS_XATTR}\0`), rootlessXattr(uid, gid));
  if (result < 0) warn(`owners in ${ROOTLESS_XATTR} (${errnoName(-result)})`);
}

function isTolerated(result: number, ownership: Ownership): boolean {
  const name = errnoName(-result);
  return name === 'EOPNOTSUPP' || name === 'ENOTSUP' || (ownership === 'own' && name === 'EPERM');
}

/** Node's own calls take seconds as a double, and read a negative one as "now". */
const isSimple = ({ seconds, nanoseconds }: Timestamp): boolean => nanoseconds === 0 && seconds >= 0;

function encodeTimes({ seconds, nanoseconds }: Timestamp): Uint8Array {
  const one = timespec.encode({ tv_sec: BigInt(seconds), tv_nsec: BigInt(nanoseconds) });
  return Buffer.concat([one, one]);
}

function checkTimes(result: number): void {
  if (result < 0) throw new SysError('utimensat', -result);
}
