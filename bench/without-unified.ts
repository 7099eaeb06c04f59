// crun before 1.9 does not run on a hybrid host: cgroup v1 hierarchies, and a cgroup2 mount beside them that has
// controllers. In a mount namespace without the latter it sees a v1 host, and runs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface WithoutUnified extends Disposable {
  /** To run a program under. */
  readonly prefix: readonly string[];
}

/** A mount namespace in which nothing is mounted at `mountPoint`; its holder ends with this process at the latest. */
export async function openWithoutUnified(mountPoint: string): Promise<WithoutUnified> {
  const script = ['sh', '-c', 'umount "$0" && echo ready && exec cat', mountPoint];
  const holder = spawn('unshare', ['-m', '--propagation', 'private', ...script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [first] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')]);
  if (!Buffer.isBuffer(first)) throw new Error(`cannot make a mount namespace without "${mountPoint}"`);
  return {
    prefix: ['nsenter', `--mount=/proc/${holder.pid}/ns/mnt`, '--wdns=/', '--'],
    [Symbol.dispose]: () => holder.stdin.end(),
  };
}
