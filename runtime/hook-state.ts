// The state of a container as its hooks get it.
import { readFileSync } from 'node:fs';
import { STATE_BYTES_MAX } from '../namespaces/hook-protocol.ts';
import { specState } from './container-state.ts';
import { RuntimeError } from './errors.ts';
import type { SavedState } from './state-store.ts';

/** @throws {RuntimeError} when it is larger than the stage has room for */
export function hookState(
  state: SavedState,
  status: 'creating' | 'created' | 'running' | 'stopped',
  pid: number,
): Buffer {
  const text = Buffer.from(JSON.stringify(specState(state, status, pid)));
  if (text.length <= STATE_BYTES_MAX) return text;
  throw new RuntimeError(
    'STATE_TOO_LARGE',
    `the state for hooks takes ${text.length} bytes, more than ${STATE_BYTES_MAX}`,
  );
}

/** The pid that the container's own processes see. @see proc_pid_status(5), NSpid */
export function containerPid(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? pid);
}
