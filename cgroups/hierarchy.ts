// Where this host has its cgroup2 hierarchy, and where in it this process is.
import { openSync, readFileSync, statfsSync } from 'node:fs';
import { CGROUP2_SUPER_MAGIC, O_CLOEXEC, O_PATH } from '../sys/abi/constants.ts';
import { O_DIRECTORY } from '../sys/abi/fcntl.ts';
import { isErrno } from '../sys/errno.ts';
import { Fd } from '../sys/fd.ts';
import { Root, STRICTLY_BENEATH } from '../sys/path.ts';

export interface Hierarchy extends Disposable {
  readonly mountPoint: string;
  /** `hybrid`: some controllers belong to cgroup v1 hierarchies beside this one. */
  readonly layout: 'unified' | 'hybrid';
  /** Everything below is reached through this directory, strictly beneath it. */
  readonly root: Root;
}

export type CgroupMountPoint = Pick<Hierarchy, 'mountPoint' | 'layout'>;

/** Nothing to put a container in: v1 hierarchies alone do not serve, see README.md. */
export class NoHierarchyError extends Error {
  constructor() {
    super('cannot find a cgroup2 hierarchy: none is mounted');
    this.name = 'NoHierarchyError';
  }
}

/** Where systemd and everything that imitates it mount cgroup2. */
const USUAL: readonly CgroupMountPoint[] = [
  { mountPoint: '/sys/fs/cgroup', layout: 'unified' },
  { mountPoint: '/sys/fs/cgroup/unified', layout: 'hybrid' },
];

/**
 * The host's cgroup2 hierarchy, or undefined where none is mounted.
 *
 * It is on the path of every create: two statfs and an open (10 us) where cgroup2 is mounted at a usual place;
 * mountinfo, which takes 40 us on a small host and milliseconds on one with thousands of mounts, only elsewhere.
 */
export function findHierarchy(): Hierarchy | undefined {
  const found =
    USUAL.find(isCgroup2) ??
    parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'latin1')).find(isCgroup2);
  return found && openHierarchy(found);
}

function openHierarchy({ mountPoint, layout }: CgroupMountPoint): Hierarchy {
  const fd = new Fd(openSync(mountPoint, O_PATH | O_DIRECTORY | O_CLOEXEC));
  return {
    mountPoint,
    layout,
    root: new Root(fd, STRICTLY_BENEATH),
    [Symbol.dispose]: () => fd[Symbol.dispose](),
  };
}

/** Also says that nothing else has been mounted on top. */
function isCgroup2({ mountPoint }: CgroupMountPoint): boolean {
  try {
    return statfsSync(mountPoint).type === CGROUP2_SUPER_MAGIC;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return false;
    throw error;
  }
}

/** The cgroup2 mounts of a mountinfo text, in its order. @see proc_pid_mountinfo(5) */
export function parseCgroupMounts(mountinfo: string): CgroupMountPoint[] {
  const mounts = mountinfo.split('\n').map((line) => {
    const [before = '', after = ''] = line.split(' - ', 2);
    return { mountPoint: unescapeOctal(before.split(' ')[4] ?? ''), type: after.split(' ', 1)[0] };
  });
  const layout = mounts.some(({ type }) => type === 'cgroup') ? 'hybrid' : 'unified';
  return mounts.filter(({ type }) => type === 'cgroup2').map(({ mountPoint }) => ({ mountPoint, layout }));
}

/** The kernel writes space, tab, newline and backslash as \040, \011, \012 and \134. */
const unescapeOctal = (text: string): string =>
  Buffer.from(
    text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
    'latin1',
  ).toString();

/** This process's place in the cgroup2 hierarchy, as /proc/self/cgroup has it. @throws {Error} where it has none */
export function readOwnCgroup(): string {
  return parseOwnCgroup(readFileSync('/proc/self/cgroup', 'utf8'));
}

/** @throws {Error} where `text` names no place that could be used. @see cgroups(7) */
export function parseOwnCgroup(text: string): string {
  const line = text.split('\n').find((one) => one.startsWith('0::'));
  if (line === undefined) throw new Error('cannot find own cgroup: /proc/self/cgroup has no cgroup2 entry');
  const own = line.slice('0::'.length);
  // The process was put into a cgroup above or beside the root of its cgroup namespace.
  if (own.split('/').includes('..')) {
    throw new Error(`cannot use own cgroup ${JSON.stringify(own)}: it is outside the cgroup namespace`);
  }
  return own;
}
