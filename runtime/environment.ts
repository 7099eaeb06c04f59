// The environment that a container's process starts with.
import type { Process } from '../spec/config/process.ts';
import { RuntimeError } from './errors.ts';
import { withHomeOf } from './home.ts';

/**
 * The process with each variable once, with the descriptors of socket activation (sd_listen_fds(3)), and with HOME from
 * the passwd of `rootfs`.
 */
export function withEnvironment(process: Process, rootfs: string, listenFds: number): Process {
  const passed = listenFds === 0 ? [] : [`LISTEN_FDS=${listenFds}`, 'LISTEN_PID=1'];
  return withHomeOf({ ...process, env: lastOfEach([...(process.env ?? []), ...passed]) }, rootfs);
}

/** The last value of a name counts, as with runc: getenv(3) of most programs would find the first. */
function lastOfEach(entries: readonly string[]): string[] {
  const merged = new Map<string, string>();
  for (const entry of entries) {
    const name = nameOf(entry);
    merged.delete(name);
    merged.set(name, entry);
  }
  return [...merged.values()];
}

const nameOf = (entry: string): string => entry.slice(0, Math.max(0, entry.indexOf('=')));

/** The container's environment and what a caller of exec adds to it. @throws {RuntimeError} */
export function mergeEnvironment(base: readonly string[], added: readonly string[]): string[] {
  const wrong = added.find((entry) => nameOf(entry) === '');
  if (wrong !== undefined) {
    throw new RuntimeError('USAGE', `invalid environment variable ${JSON.stringify(wrong)}: not name=value`);
  }
  return lastOfEach([...base, ...added]);
}
