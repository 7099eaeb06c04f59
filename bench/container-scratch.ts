// The bundle that container-life.bench.ts runs, and the floor program, in a directory that goes away again.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { encodeProgram } from '../cgroups/devices/bpf.ts';
import { planDevices } from '../cgroups/devices/filter.ts';
import type { Config } from '../spec/config.ts';
import { defaultConfig } from '../spec/default-config.ts';

/** The version of released runtimes: crun 1.8 knows no other than the first ones. */
const OCI_VERSION = '1.0.2';

/** What `spec` prints, but for the terminal and the program. */
function config(): Config {
  const base = defaultConfig();
  const process = { cwd: '/', ...base.process, terminal: false, args: ['/bin/true'] };
  return { ...base, ociVersion: OCI_VERSION, process };
}

function busybox(): string {
  const place = ['/bin/busybox', '/usr/bin/busybox'].find((candidate) => existsSync(candidate));
  if (place === undefined) throw new Error('cannot find busybox: install the package busybox-static');
  return place;
}

export class ContainerScratch implements Disposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'hull-bench-'));
  readonly bundle: string = join(this.directory, 'bundle');
  readonly rootfs: string = join(this.bundle, 'rootfs');
  /** For the state of the runtimes: on a tmpfs, as /run is. A disk's file system takes a millisecond to remove it. */
  readonly state: string = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'hull-bench-'));
  /** The device filter that hull makes of the config, for the floor. */
  readonly filter: string = join(this.directory, 'filter');
  /** Standard input, and output and error, of everything: a runtime can do these no harm, unlike /dev/null. */
  readonly #stdio: readonly [number, number, number];

  constructor() {
    for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp']) {
      mkdirSync(join(this.rootfs, name), { recursive: true });
    }
    copyFileSync(busybox(), join(this.rootfs, 'bin/busybox'));
    symlinkSync('busybox', join(this.rootfs, 'bin/true'));
    const made = config();
    writeFileSync(join(this.bundle, 'config.json'), JSON.stringify(made, null, 2));
    writeFileSync(this.filter, encodeProgram(planDevices(made.linux?.resources?.devices ?? [])));
    writeFileSync(this.path('input'), '');
    const output = openSync(this.path('output'), 'a');
    this.#stdio = [openSync(this.path('input'), 'r'), output, output];
  }

  path(...parts: string[]): string {
    return join(this.directory, ...parts);
  }

  /** Builds the floor program: its path, or undefined where there is no compiler. */
  buildFloor(): string | undefined {
    if (spawnSync('gcc', ['--version']).error !== undefined) return undefined;
    const program = this.path('floor');
    const source = join(import.meta.dirname, 'floor/floor.c');
    execFileSync('gcc', ['-O2', '-Wall', '-Werror', '-static', '-D_GNU_SOURCE', '-o', program, source]);
    return program;
  }

  /** What it wants to know, to make `count` containers in the cgroup of that name. */
  floorArguments(hierarchy: string, cgroup: string, count: number): string[] {
    return [this.rootfs, hierarchy, join(hierarchy, cgroup), this.filter, String(count)];
  }

  /** Runs a program to its end. @returns milliseconds from spawn to exit @throws {Error} with what it printed */
  time([program = '', ...args]: readonly string[]): number {
    const start = performance.now();
    const { status, error } = spawnSync(program, args, { stdio: [...this.#stdio] });
    const milliseconds = performance.now() - start;
    if (error !== undefined) throw error;
    if (status !== 0) {
      const output = readFileSync(this.path('output'), 'utf8').trimEnd().split('\n').slice(-5).join('\n');
      throw new Error(`${program} ${args.join(' ')} ended with status ${status}:\n${output}`);
    }
    return milliseconds;
  }

  [Symbol.dispose](): void {
    for (const directory of [this.directory, this.state]) rmSync(directory, { recursive: true });
  }
}
