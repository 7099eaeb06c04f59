/** The mount namespace in which a test calls its runtime, so that a bad one leaves nothing on the machine. */

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/**
 * /dev is a copy: runtimes have given the machine's /dev/null to the user of a container (crun before 1.29, when it
 * was a container's standard input). Opening ptmx looks for the pts beside it.
 */
const SCRIPT = `set -e
mount -t tmpfs -o mode=755 tmpfs "$0"
for name in null zero full random urandom tty console ptmx kvm; do
  if [ -e /dev/$name ]; then cp -a /dev/$name "$0/$name"; fi
done
ln -s /proc/self/fd "$0/fd"
mkdir "$0/pts" "$0/shm"
mount --bind /dev/pts "$0/pts"
mount --bind /dev/shm "$0/shm"
mount --move "$0" /dev
if [ "$1" = hide-unified ] && mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
echo ready
exec cat`;

/**
 * Starts a process that holds a private mount namespace until this worker ends, in whatever way. `directory` is an
 * empty place to build /dev in.
 *
 * crun before 1.9 does not run on a hybrid host, one with cgroup v1 hierarchies and a cgroup2 mount that has
 * controllers ("cgroups in hybrid mode not supported, drop all controllers from cgroupv2"). With `hideUnified` it
 * sees a pure v1 host, as /sys/fs/cgroup/unified is not mounted; nothing else is different for it.
 */
export async function openMountNamespace(directory: string, hideUnified: boolean): Promise<number> {
  mkdirSync(directory);
  const script = ['sh', '-c', SCRIPT, directory, hideUnified ? 'hide-unified' : 'as-it-is'];
  const holder = spawn('unshare', ['-m', '--propagation', 'private', ...script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once('data', () => resolve());
    holder.once('exit', () => reject(new Error('cannot make a mount namespace')));
  });
  holder.stdout.destroy();
  holder.unref();
  return holder.pid ?? -1;
}

/** A path of that namespace, as this process reaches it. */
export function insideNamespace(pid: number, file: string): string {
  return `/proc/${pid}/root${file}`;
}
