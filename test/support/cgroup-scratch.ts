// Cgroups of a test's own, with processes in them, that are gone when the test is over.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Cgroup } from '../../cgroups/cgroup.ts';
import { createCgroup } from '../../cgroups/create.ts';
import { findHierarchy, type Hierarchy } from '../../cgroups/hierarchy.ts';

/** Debian's own: a pyenv in front of it takes 100 ms to start. */
export const PYTHON: string = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

/** Why tests that make cgroups cannot run here; undefined where they can. */
export function whyNoCgroups(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  using hierarchy = findHierarchy();
  return hierarchy === undefined ? 'needs a cgroup2 mount' : undefined;
}

let count = 0;

export class CgroupScratch implements AsyncDisposable {
  readonly hierarchy: Hierarchy;
  readonly #made: string[] = [];
  readonly #children: ChildProcess[] = [];

  constructor() {
    const hierarchy = findHierarchy();
    if (hierarchy === undefined) throw new Error('no cgroup2 mount');
    this.hierarchy = hierarchy;
  }

  /** A path right below the root that nothing else has. */
  newPath(): string {
    count += 1;
    const unused = `/hull-test-${process.pid}-${count}`;
    this.#made.push(unused);
    return unused;
  }

  create(cgroupPath: string = this.newPath()): Cgroup {
    return createCgroup(this.hierarchy, cgroupPath);
  }

  /** Where the host sees it. */
  directory(cgroupPath: string): string {
    return path.join(this.hierarchy.mountPoint, cgroupPath);
  }

  /** Starts a program that waits for a line on its standard input, and moves it into the cgroup. */
  async start(cgroup: Cgroup, argv: readonly string[]): Promise<Resident> {
    const resident = this.startOutside(argv);
    await cgroup.join(resident.pid);
    return resident;
  }

  startOutside(argv: readonly string[]): Resident {
    const [program = '', ...args] = argv;
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#children.push(child);
    return new Resident(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const one of this.#made) await this.#clean(this.directory(one));
    this.hierarchy[Symbol.dispose]();
  }

  /** Not by the code under test. Waits for the last processes, which have been killed. */
  async #clean(directory: string): Promise<void> {
    for (let attempt = 0; existsSync(directory); attempt++) {
      try {
        removeTree(directory);
      } catch (error) {
        if (attempt === 200) throw error;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }
}

function removeTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(path.join(directory, entry.name));
  }
  rmdirSync(directory);
}

/** A program that answers lines with lines. */
export class Resident {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly ended: Promise<unknown>;

  constructor(child: ChildProcess) {
    if (child.stdout === null) throw new Error('no stdout');
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.ended = once(child, 'exit');
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('not started');
    return this.#child.pid;
  }

  /** How it ended: `SIGKILL`, or its status. */
  get ending(): string | number | null {
    return this.#child.signalCode ?? this.#child.exitCode;
  }

  send(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  async receive(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the program ended without an answer');
    return value;
  }

  async ask(line: string): Promise<string> {
    this.send(line);
    return this.receive();
  }
}
