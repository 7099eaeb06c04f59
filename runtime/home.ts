// HOME, where config.json does not give one: from the container's own /etc/passwd, as runc has it.
import { constants, fstatSync, readSync } from 'node:fs';
import type { Process } from '../spec/config/process.ts';
import { isErrno } from '../sys/errno.ts';
import { Root } from '../sys/path.ts';

/** An image may hold anything under that name; a passwd file of that size has some 100,000 users. */
const PASSWD_BYTES_MAX = 10 * 1024 * 1024;

/** The process with HOME in its environment; an empty one counts as none. */
export function withHomeOf(process: Process, rootfs: string): Process {
  const { env = [], user } = process;
  if (env.some((entry) => entry.startsWith('HOME=') && entry !== 'HOME=')) return process;
  const home = homeOf(rootfs, user?.uid ?? 0);
  return { ...process, env: [...env.filter((entry) => entry !== 'HOME='), `HOME=${home}`] };
}

/** `rootfs` may be /proc/PID/root. A user without an entry, or without a file to have one in, is at home in `/`. */
export function homeOf(rootfs: string, uid: number): string {
  const passwd = readPasswd(rootfs);
  for (const line of passwd.split('\n')) {
    const [, , id, , , home] = line.split(':');
    if (id !== undefined && /^\d{1,10}$/.test(id) && Number(id) === uid && home?.startsWith('/')) return home;
  }
  return '/';
}

/** Resolved inside the root, without waiting for a FIFO, and only if it is a file of a sane size (rule D8). */
function readPasswd(rootfs: string): string {
  try {
    using root = Root.open(rootfs);
    using file = root.openAt('etc/passwd', constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stat = fstatSync(file.number);
    if (!stat.isFile() || stat.size > PASSWD_BYTES_MAX) return '';
    const bytes = Buffer.alloc(stat.size);
    return bytes.toString('utf8', 0, readSync(file.number, bytes, 0, stat.size, 0));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EXDEV', 'ENXIO')) return '';
    throw error;
  }
}
