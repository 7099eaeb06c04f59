// Device nodes in a directory of a test's own, and a process in a cgroup that tries to use them.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PYTHON, type Resident } from './cgroup-scratch.ts';
import type { Request } from './device-cgroup-v1.ts';

export const DEVICE_PROBE: readonly string[] = [PYTHON, path.join(import.meta.dirname, 'device-probe.py')];

export class DeviceNodes implements Disposable {
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'hull-nodes-'));

  /** The node's path; it is made from outside any device filter. */
  node({ type, major, minor }: Request): string {
    const node = path.join(this.#directory, `${type}${major}-${minor}`);
    if (!existsSync(node)) execFileSync('mknod', [node, type, `${major}`, `${minor}`]);
    return node;
  }

  /** `OK`, or the name of the errno, for each request. */
  async attempt(prober: Resident, requests: readonly Request[]): Promise<string[]> {
    const attempts = requests.map((one) => [this.node(one), one.access, one.type, one.major, one.minor]);
    return JSON.parse(await prober.ask(JSON.stringify(attempts)));
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }
}
