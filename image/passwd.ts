// An image's own /etc/passwd and /etc/group: hostile files, read by no library of the host's (rule D8).
import { constants, fstatSync, readSync } from 'node:fs';
import type { Root } from '../sys/path.ts';
import { ImageError } from './error.ts';

export interface ImageUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** From the user's line, if there is one. */
  readonly home?: string;
}

/** The largest that people have are of some hundred KB; containerd and others read without end (CVE-2026-47262). */
const FILE_BYTES_MAX = 10 * 1024 * 1024;

/** (uid_t)-1 means "leave as it is" to chown(2) and setresuid(2). */
const ID_MAX = 2 ** 32 - 2;

/** NGROUPS_MAX of the kernel. */
const GROUPS_MAX = 65_536;

/** What looks like a number is one, and no name: a line `1000:x:0:0:…` must not make 1000 root (CVE-2016-3697). */
const NUMBER = /^[+-]?\d+$/;

interface PasswdLine {
  readonly name: string;
  readonly uid: string;
  readonly gid: string;
  readonly home: string;
}

interface GroupLine {
  readonly name: string;
  readonly gid: string;
  readonly members: readonly string[];
}

/**
 * Who `user` is, as config.md of the image-spec has it: `user`, `uid`, `user:group`, `uid:gid`, `uid:group`,
 * `user:gid`; empty is root. Without a group, the user's own groups apply; a number that has no line has none.
 * @throws {ImageError}
 */
export function resolveUser(root: Root, user: string): ImageUser {
  const [name = '', group, ...rest] = user.split(':');
  if (rest.length > 0 || group === '')
    throw new ImageError('REJECTED', `user ${quote(user)} is not USER[:GROUP]`);
  const wanted = name === '' ? '0' : name;
  const line = findUser(root, wanted);
  if (line === undefined && !NUMBER.test(wanted)) {
    throw new ImageError('NOT_FOUND', `the image has no user ${quote(wanted)} in its /etc/passwd`);
  }
  const uid = parseId(line?.uid ?? wanted, 'user', wanted);
  const home = line?.home ? { home: line.home } : {};
  if (group !== undefined) return { uid, gid: resolveGroup(root, group), additionalGids: [], ...home };
  if (line === undefined) return { uid, gid: 0, additionalGids: [] };
  const gid = parseId(line.gid, 'group', wanted);
  return { uid, gid, additionalGids: groupsOf(root, line.name), ...home };
}

/** The first line with the name or number, as getpwnam(3) and getpwuid(3) have it. */
function findUser(root: Root, wanted: string): PasswdLine | undefined {
  if (!NUMBER.test(wanted)) return passwdLines(root).find(({ name }) => name === wanted);
  const uid = parseId(wanted, 'user', wanted);
  return passwdLines(root).find((line) => NUMBER.test(line.uid) && Number(line.uid) === uid);
}

function resolveGroup(root: Root, group: string): number {
  if (NUMBER.test(group)) return parseId(group, 'group', group);
  const line = groupLines(root).find(({ name }) => name === group);
  if (line !== undefined) return parseId(line.gid, 'group', group);
  throw new ImageError('NOT_FOUND', `the image has no group ${quote(group)} in its /etc/group`);
}

function groupsOf(root: Root, user: string): number[] {
  const lines = groupLines(root).filter(({ members }) => members.includes(user));
  if (lines.length > GROUPS_MAX)
    throw new ImageError('REJECTED', `user ${quote(user)} is in more than ${GROUPS_MAX} groups`);
  return [...new Set(lines.map(({ gid, name }) => parseId(gid, 'group', name)))];
}

/** No wrap-around, no sign, no truncation: what does not fit is an error (CVE-2024-40635, CVE-2026-46680). */
function parseId(text: string, kind: 'user' | 'group', subject: string): number {
  const id = Number(text);
  if (/^\d{1,10}$/.test(text) && id <= ID_MAX) return id;
  throw new ImageError(
    'REJECTED',
    `id ${quote(text)} of ${kind} ${quote(subject)} is not a number from 0 to ${ID_MAX}`,
  );
}

const quote = (text: string): string => JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);

/** Lines that have too few fields are passed over, as every reader does. */
function passwdLines(root: Root): PasswdLine[] {
  return fields(root, 'etc/passwd', 4).map(([name = '', , uid = '', gid = '', , home = '']) => ({
    name,
    uid,
    gid,
    home,
  }));
}

function groupLines(root: Root): GroupLine[] {
  return fields(root, 'etc/group', 3).map(([name = '', , gid = '', members = '']) => ({
    name,
    gid,
    members: members.split(',').filter((member) => member !== ''),
  }));
}

function fields(root: Root, path: string, fieldsMin: number): string[][] {
  const lines = readText(root, path).split('\n');
  return lines
    .map((line) => line.trim().split(':'))
    .filter((parts) => parts.length >= fieldsMin && parts[0] !== '');
}

/** A missing file is an empty one. Anything but a regular file is refused unread: a fifo would stop us. */
function readText(root: Root, path: string): string {
  using fd = root.tryOpenAt(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  if (fd === undefined) return '';
  const stat = fstatSync(fd.number);
  if (!stat.isFile())
    throw new ImageError('REJECTED', `cannot read /${path} of the image: not a regular file`);
  if (stat.size > FILE_BYTES_MAX) {
    throw new ImageError(
      'REJECTED',
      `cannot read /${path} of the image: longer than ${FILE_BYTES_MAX} bytes`,
    );
  }
  const bytes = Buffer.alloc(stat.size);
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(fd.number, bytes, done, bytes.length - done, done);
    if (count === 0) break;
    done += count;
  }
  return bytes.toString('utf8', 0, done);
}
