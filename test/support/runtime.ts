/** The runtime under test, and its peers, behind one interface: the command line that runc defined. */

import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import type { Bundle } from './bundle.ts';
import { Child, type ChildOptions, type Outcome } from './child.ts';
import { CHECKOUT } from './compile.ts';
import { insideNamespace } from './mount-namespace.ts';

export type RuntimeName = 'hull' | 'runc' | 'crun';

const HULL = path.join(CHECKOUT, 'bin/hull');

/** What the environment variable RUNTIME says: `hull`, `runc`, `crun`, or the path of one of them. */
export function selectedRuntime(): string {
  return process.env.RUNTIME ?? 'hull';
}

export interface RuntimeProgram {
  readonly name: RuntimeName;
  readonly path: string;
  /** As {@link isKnownBad} compares it: `runc 1.1.5`. */
  readonly label: string;
}

const programs = new Map<string, RuntimeProgram>();

/** Finds a runtime and asks it what it is: `runc version 1.1.5+ds1` becomes `runc 1.1.5`. */
export function findRuntime(selection: string): RuntimeProgram {
  const found = programs.get(selection);
  if (found !== undefined) return found;
  const program = selection === 'hull' ? HULL : selection;
  const file = program.includes('/')
    ? path.resolve(program)
    : execFileSync('which', [program], { encoding: 'utf8' }).trim();
  const version = execFileSync(file, ['--version'], { encoding: 'utf8' });
  const [, name, number] = /^(hull|runc|crun) version v?(\d+\.\d+\.\d+)/.exec(version) ?? [];
  if (name !== 'hull' && name !== 'runc' && name !== 'crun') {
    throw new Error(`cannot tell what runtime "${file}" is: it says ${JSON.stringify(version)}`);
  }
  const result: RuntimeProgram = { name, path: realpathSync(file), label: `${name} ${number}` };
  programs.set(selection, result);
  return result;
}

export interface CallOptions extends ChildOptions {
  /** Options of the command, before its operands: `['--pid-file', file]`. */
  readonly flags?: readonly string[];
  /** Options of the runtime itself, before the command. */
  readonly globals?: readonly string[];
  /** A program to run the runtime under, such as the stepper with its arguments. */
  readonly under?: readonly string[];
}

export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Nothing of the caller's: what a container or hook sees of this environment is a finding. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' };

export class Runtime {
  readonly program: RuntimeProgram;
  readonly root: string;
  readonly #wrapper: readonly string[];
  readonly #nullDevice: string;
  readonly #scratch: string;
  #calls = 0;

  /** `namespacePid` is a process in the mount namespace of the calls; `scratch` takes their output. */
  constructor(program: RuntimeProgram, namespacePid: number, root: string, scratch: string) {
    this.program = program;
    this.root = root;
    this.#wrapper = ['nsenter', `--mount=/proc/${namespacePid}/ns/mnt`, '--wdns=/', '--'];
    this.#nullDevice = insideNamespace(namespacePid, '/dev/null');
    this.#scratch = scratch;
  }

  get name(): RuntimeName {
    return this.program.name;
  }

  argv(command: string, operands: readonly string[], options: CallOptions = {}): string[] {
    const { flags = [], globals = [], under = [] } = options;
    const own = [this.program.path, '--root', this.root, ...globals];
    return [...this.#wrapper, ...under, ...own, command, ...flags, ...operands];
  }

  spawn(command: string, operands: readonly string[], options: CallOptions = {}): Child {
    const files = path.join(this.#scratch, `call-${this.#calls++}`);
    const defaults = { env: ENVIRONMENT, nullDevice: this.#nullDevice };
    return new Child(this.argv(command, operands, options), files, { ...defaults, ...options });
  }

  call(command: string, operands: readonly string[], options: CallOptions = {}): Promise<Outcome> {
    return this.spawn(command, operands, options).finished;
  }

  startRun(id: string, bundle: Bundle, options: CallOptions = {}): Child {
    return this.spawn('run', [id], withBundle(bundle, options));
  }

  run(id: string, bundle: Bundle, options: CallOptions = {}): Promise<Outcome> {
    return this.startRun(id, bundle, options).finished;
  }

  create(id: string, bundle: Bundle, options: CallOptions = {}): Promise<Outcome> {
    return this.call('create', [id], withBundle(bundle, options));
  }

  start(id: string, options: CallOptions = {}): Promise<Outcome> {
    return this.call('start', [id], options);
  }

  kill(id: string, signal: string, options: CallOptions = {}): Promise<Outcome> {
    return this.call('kill', [id, signal], options);
  }

  delete(id: string, options: CallOptions = {}): Promise<Outcome> {
    return this.call('delete', [id], options);
  }

  exec(id: string, args: readonly string[], options: CallOptions = {}): Promise<Outcome> {
    return this.call('exec', [id, ...args], options);
  }

  list(options: CallOptions = {}): Promise<Outcome> {
    return this.call('list', [], options);
  }

  async state(id: string): Promise<State> {
    const outcome = await this.call('state', [id]);
    if (outcome.status !== 0) throw new Error(`state "${id}" failed: ${outcome.stderr}`);
    return JSON.parse(outcome.stdout) as State;
  }
}

function withBundle(bundle: Bundle, options: CallOptions): CallOptions {
  return { ...options, flags: ['--bundle', bundle.directory, ...(options.flags ?? [])] };
}

/** The message as it was meant: the text log writes it in quotes, and those inside with a backslash. */
export function errorText({ stderr }: Outcome): string {
  return stderr.replaceAll('\\"', '"');
}

/** Whether a row such as `knownBad: ['runc 1.1.5']` means this program. */
export function isKnownBad(program: RuntimeProgram, knownBad: readonly string[]): boolean {
  return knownBad.includes(program.label);
}
