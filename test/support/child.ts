/** Programs with a deadline whose output goes to files: a container that outlives its runtime keeps no pipe open. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** What any one command may take; runtimes need some 50 ms, a loaded machine ten times that. */
export const DEADLINE_MS = 20_000;

export interface Outcome {
  /** Exit status, or 128 + the signal's number as a shell would say. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface ChildOptions {
  /** Text for standard input; `'open'` leaves it open for {@link Child.write}; otherwise it is `nullDevice`. */
  readonly stdin?: string;
  readonly nullDevice?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Descriptors of this process that the child gets as 3, 4, … */
  readonly fds?: readonly number[];
  readonly deadlineMs?: number;
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

export class Child {
  readonly #process: ChildProcess;
  readonly #files: { readonly stdout: string; readonly stderr: string };
  readonly finished: Promise<Outcome>;

  /** `files` is the beginning of the names of the two files that take the output. */
  constructor(argv: readonly string[], files: string, options: ChildOptions = {}) {
    const [program = '', ...args] = argv;
    this.#files = { stdout: `${files}.out`, stderr: `${files}.err` };
    const output = [openSync(this.#files.stdout, 'w'), openSync(this.#files.stderr, 'w')];
    const input = options.stdin === undefined ? openSync(options.nullDevice ?? '/dev/null', 'r') : 'pipe';
    const start = performance.now();
    this.#process = spawn(program, args, {
      stdio: [input, ...output, ...(options.fds ?? [])],
      ...(options.env && { env: { ...options.env } }),
      ...(options.cwd && { cwd: options.cwd }),
    });
    for (const fd of [input, ...output]) if (typeof fd === 'number') closeSync(fd);
    this.finished = this.#wait(argv, start, options.deadlineMs ?? DEADLINE_MS);
    // A test that has failed before it waited has its own error to show.
    this.finished.catch(() => {});
    if (options.stdin !== undefined && options.stdin !== 'open') this.closeStdin(options.stdin);
  }

  #wait(argv: readonly string[], start: number, deadlineMs: number): Promise<Outcome> {
    const child = this.#process;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        child.removeAllListeners('exit');
        child.kill('SIGKILL');
        reject(new Error(`"${argv.join(' ')}" took longer than ${deadlineMs} ms; it said: ${this.stderr()}`));
      }, deadlineMs);
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        const status = code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0);
        const ms = performance.now() - start;
        try {
          resolve({ status, stdout: this.stdout(), stderr: this.stderr(), ms });
        } catch (error) {
          reject(error); // the test has ended, and its files are gone
        }
      });
    });
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** What has been written so far, by the program and all that it left running. */
  stdout(): string {
    return readFileSync(this.#files.stdout, 'utf8');
  }

  stderr(): string {
    return readFileSync(this.#files.stderr, 'utf8');
  }

  write(text: string): void {
    this.#process.stdin?.write(text);
  }

  closeStdin(text = ''): void {
    // A program that ends before it has read everything is not an error here.
    this.#process.stdin?.on('error', () => {});
    this.#process.stdin?.end(text);
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }
}

/** Waits for `condition` to give a value; tests never sleep for a time that "should do". */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  deadlineMs: number = DEADLINE_MS,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
