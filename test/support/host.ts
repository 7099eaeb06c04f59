/**
 * One test's machine: a scratch directory, a mount namespace of its own, a state root, a canary. Closing it checks
 * that everything is as it was before.
 */

import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Bundle, type ConfigChange } from './bundle.ts';
import { makeCanary } from './canary.ts';
import { Child } from './child.ts';
import {
  cgroupsBeneath,
  compareSnapshots,
  type HostSnapshot,
  ID_PREFIX,
  type Scope,
  snapshotHost,
} from './invariants.ts';
import { openMountNamespace } from './mount-namespace.ts';
import { processesOf } from './processes.ts';
import { findRuntime, Runtime, selectedRuntime } from './runtime.ts';

/** How long the kernel and a runtime's own helpers may take to let go of a container that is gone. */
const SETTLE_MS = 2_000;

/** How long the deletion of a container that a test has left may take. */
const DELETE_MS = 10_000;

let idCount = 0;

export class TestHost implements AsyncDisposable {
  readonly scratch: string;
  readonly runtime: Runtime;
  readonly canary: string;
  readonly namespacePid: number;
  #before: HostSnapshot;
  readonly #ids: string[] = [];
  #bundles = 0;
  #dirty = false;

  private constructor(scratch: string, runtime: Runtime, canary: string, namespacePid: number) {
    this.scratch = scratch;
    this.runtime = runtime;
    this.canary = canary;
    this.namespacePid = namespacePid;
    this.#before = snapshotHost(this.#scope());
  }

  static async open(selection: string = selectedRuntime()): Promise<TestHost> {
    if (process.getuid?.() !== 0) throw new Error('integration tests make containers, which needs root');
    const program = findRuntime(selection);
    const scratch = mkdtempSync(path.join(tmpdir(), 'ht-'));
    chmodSync(scratch, 0o711); // the root of a user namespace has to get through
    const canary = path.join(scratch, 'outside');
    makeCanary(canary);
    const namespacePid = await openMountNamespace(path.join(scratch, 'dev'), program.name === 'crun');
    const runtime = new Runtime(program, namespacePid, path.join(scratch, 'state'), scratch);
    return new TestHost(scratch, runtime, canary, namespacePid);
  }

  /** A name for a container that no other test has; closing the host deletes what is left of it. */
  id(): string {
    const id = `${ID_PREFIX}${idCount++}`;
    this.#ids.push(id);
    return id;
  }

  bundle(change?: ConfigChange): Bundle {
    return new Bundle(path.join(this.scratch, `bundle-${this.#bundles++}`), change);
  }

  /** A path in the scratch directory, for sockets, pid files and volumes. */
  path(...parts: string[]): string {
    return path.join(this.scratch, ...parts);
  }

  directory(name: string, mode = 0o755): string {
    const directory = this.path(name);
    mkdirSync(directory, { mode });
    return directory;
  }

  /** Runs a program of the host in the mount namespace of the runtime; gives its output. */
  inside(program: string, ...args: string[]): string {
    const enter = [`--mount=/proc/${this.namespacePid}/ns/mnt`, '--', program, ...args];
    return execFileSync('nsenter', enter, { encoding: 'utf8' });
  }

  spawn(argv: readonly string[], name: string, stdin?: string): Child {
    return new Child(argv, this.path(name), stdin === undefined ? {} : { stdin });
  }

  /** Takes what the test itself has prepared since for the state to which the host must return. */
  remember(): void {
    this.#before = snapshotHost(this.#scope());
  }

  /** What differs from before, and which processes are left, once things have had time to settle. */
  async differences(): Promise<string[]> {
    const end = performance.now() + SETTLE_MS;
    for (;;) {
      const found = this.#differencesNow();
      if (found.length === 0 || performance.now() > end) return found;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #differencesNow(): string[] {
    const left = processesOf(this.scratch, [this.namespacePid]);
    const processes = left.map(({ pid, command }) => `+ process: ${pid} ${command}`);
    return [...compareSnapshots(this.#before, snapshotHost(this.#scope())), ...processes];
  }

  /** For a test whose outcome is that the host is not as before: closing then only cleans up. */
  expectDirty(): void {
    this.#dirty = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const failures: string[] = [];
    for (const id of this.#ids) failures.push(...(await this.#deleteLeft(id)));
    const differences = this.#dirty ? [] : [...failures, ...(await this.differences())];
    this.#destroy();
    if (differences.length > 0) {
      throw new Error(`the host is not as it was:\n${differences.join('\n')}`);
    }
  }

  async #deleteLeft(id: string): Promise<string[]> {
    if (!exists(path.join(this.runtime.root, id))) return [];
    try {
      const { status, stderr } = await this.runtime.delete(id, { flags: ['--force'], deadlineMs: DELETE_MS });
      return status === 0 ? [] : [`! cannot delete the container "${id}": ${stderr}`];
    } catch (error) {
      return [`! cannot delete the container "${id}": ${error}`];
    }
  }

  #destroy(): void {
    for (const { pid } of processesOf(this.scratch, [])) kill(pid);
    kill(this.namespacePid);
    removeCgroups(this.#ids);
    rmSync(this.scratch, { recursive: true, force: true });
  }

  #scope(): Scope {
    const { scratch, namespacePid, canary } = this;
    return {
      scratch,
      namespacePid,
      canary,
      runtimePath: this.runtime.program.path,
      stateRoot: this.runtime.root,
    };
  }
}

function exists(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** For what a failed test has left: a cgroup named after the container, in each hierarchy. */
function removeCgroups(ids: readonly string[]): void {
  const left = cgroupsBeneath('/sys/fs/cgroup').filter((directory) => ids.includes(path.basename(directory)));
  if (left.length > 0) execFileSync('rmdir', ['--ignore-fail-on-non-empty', ...left]);
}
