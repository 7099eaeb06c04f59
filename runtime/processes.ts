// `ps`: the processes of a container, as the host sees them.
import { cgroupOf, loadContainer } from './container.ts';
import { RuntimeError } from './errors.ts';
import type { StateStore } from './state-store.ts';

/** Their pids on the host; none when it is stopped. */
export function processesOf(store: StateStore, id: string): number[] {
  const { saved, status } = loadContainer(store, id);
  if (status === 'stopped') return [];
  using cgroup = cgroupOf(saved);
  if (cgroup !== undefined) return cgroup.processes();
  return saved.process === undefined ? [] : [saved.process.pid];
}

/** The host's own, by absolute path: nothing of the container is executed (CVE-2022-1227). */
const PS = ['/usr/bin/ps', '/bin/ps'];

/** The header and the rows of `ps ARGS` that belong to the pids. @throws {RuntimeError} */
export async function psTable(pids: readonly number[], args: readonly string[]): Promise<string> {
  const { spawnSync } = await import('node:child_process');
  for (const path of PS) {
    const { error, status, stdout, stderr } = spawnSync(path, args, {
      env: {},
      encoding: 'utf8',
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    if (error !== undefined && 'code' in error && error.code === 'ENOENT') continue;
    if (error !== undefined || status !== 0) {
      throw new RuntimeError('PS', `cannot list processes with ${path}: ${error?.message ?? stderr.trim()}`);
    }
    return rowsOf(stdout, new Set(pids));
  }
  throw new RuntimeError('PS', `cannot list processes: there is no ${PS[0]}`, {
    hint: 'it is in the package procps',
  });
}

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** @throws {RuntimeError} runc's text, when the columns that the caller chose leave out the pid */
export function rowsOf(table: string, pids: ReadonlySet<number>): string {
  const [header = '', ...rows] = table.trimEnd().split('\n');
  const column = header.trim().split(/\s+/).indexOf('PID');
  if (column < 0) throw new RuntimeError('PS', "Couldn't find PID field in ps output");
  const own = rows.filter((row) => pids.has(Number(row.trim().split(/\s+/)[column])));
  return [header, ...own].map((line) => `${line}\n`).join('');
}
