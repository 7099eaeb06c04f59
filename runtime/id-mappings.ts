// uid_map and gid_map of a new user namespace: written by the host, or by newuidmap(1) where the caller may not.
import { writeFileSync } from 'node:fs';
import type { IdMapping, Linux } from '../spec/config/linux.ts';
import { RuntimeError } from './errors.ts';

export const mapText = (mappings: readonly IdMapping[]): string =>
  mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');

/** @throws {RuntimeError} */
export async function writeIdMappings(pid: number, linux: Linux, rootless: boolean): Promise<void> {
  const { uidMappings = [], gidMappings = [] } = linux;
  if (!rootless) {
    write(pid, 'uid_map', mapText(uidMappings));
    write(pid, 'gid_map', mapText(gidMappings));
    return;
  }
  if (isOwnIdAlone(uidMappings, process.geteuid?.())) write(pid, 'uid_map', mapText(uidMappings));
  else await mapByHelper('newuidmap', pid, uidMappings);
  if (isOwnIdAlone(gidMappings, process.getegid?.())) {
    // user_namespaces(7): who may not map groups freely has to give setgroups(2) up first.
    write(pid, 'setgroups', 'deny');
    write(pid, 'gid_map', mapText(gidMappings));
  } else await mapByHelper('newgidmap', pid, gidMappings);
}

export const isOwnIdAlone = (mappings: readonly IdMapping[], own: number | undefined): boolean =>
  mappings.length === 1 && mappings[0]?.size === 1 && mappings[0].hostID === own;

function write(pid: number, file: string, text: string): void {
  try {
    // One write(2): the kernel takes a map only whole.
    writeFileSync(`/proc/${pid}/${file}`, text, { flag: 'r+' });
  } catch (error) {
    throw new RuntimeError('ID_MAP', `cannot write ${JSON.stringify(text.trim())} to ${file}`, {
      cause: error,
    });
  }
}

/** By absolute path and with an empty environment: the caller's PATH does not choose what runs with setuid. */
async function mapByHelper(
  helper: 'newuidmap' | 'newgidmap',
  pid: number,
  mappings: readonly IdMapping[],
): Promise<void> {
  const { spawnSync } = await import('node:child_process');
  const args = mappings.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size]).map(String);
  const result = spawnSync(`/usr/bin/${helper}`, [String(pid), ...args], { env: {}, encoding: 'utf8' });
  if (result.error === undefined && result.status === 0) return;
  const reason = result.error?.message ?? result.stderr.trim();
  throw new RuntimeError('ID_MAP', `cannot map ids with ${helper}: ${reason}`, {
    hint: 'more than your own id needs newuidmap (package uidmap) and a range of yours in /etc/subuid and /etc/subgid',
  });
}
