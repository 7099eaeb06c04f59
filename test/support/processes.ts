/** Finds the processes that a test has left behind, whoever their parent is by now. */

import { readdirSync, readFileSync } from 'node:fs';
import { isGone } from './invariants.ts';

export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/**
 * All processes that have to do with `scratch`: a container's mounts show its root filesystem, a runtime's command
 * line its bundle. `except` are those of the harness. Zombies are left out: their parents are other programs.
 */
export function processesOf(scratch: string, except: readonly number[]): FoundProcess[] {
  const found: FoundProcess[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || except.includes(pid)) continue;
    const command = commandOf(pid, scratch);
    if (command !== undefined) found.push({ pid, command });
  }
  return found;
}

function commandOf(pid: number, scratch: string): string | undefined {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
    // Kernel threads and zombies have no command line.
    if (command === '') return undefined;
    const mentions = [command, read(pid, 'mountinfo'), read(pid, 'environ')].some((text) =>
      text.includes(scratch),
    );
    return mentions ? command : undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** A process that is just exiting has no mounts any more, which the kernel says with EINVAL. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EINVAL' || error.code === 'EACCES'))
      return '';
    throw error;
  }
}

/** The ids of the mounts that a process sees, as fdinfo names them: no mount of another namespace has one of them. */
export function mountIds(pid: number): Set<string> {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trim().split('\n');
  return new Set(lines.map((line) => line.split(' ')[0] ?? ''));
}
