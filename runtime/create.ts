// From a bundle to a container that is created: the host's side of the plan.
import { chmodSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import type { Cgroup } from '../cgroups/cgroup.ts';
import { type CreateFacts, type CreatePrograms, compileCreate, FIFO } from '../namespaces/create.ts';
import { CGROUP, CONTROL, REPORTS } from '../namespaces/enter.ts';
import { STATE_BYTES_MAX, STATUS_PLACEHOLDER } from '../namespaces/hooks.ts';
import { chooseNamespaces } from '../namespaces/kinds.ts';
import type { Rlimit } from '../spec/config/process.ts';
import type { Config } from '../spec/config.ts';
import { AT_FDCWD, O_PATH, S_IFIFO } from '../sys/abi/constants.ts';
import { O_NOFOLLOW } from '../sys/abi/fcntl.ts';
import { isErrno } from '../sys/errno.ts';
import { Fd } from '../sys/fd.ts';
import { executeProgram } from '../sys/plan/execute.ts';
import { PlanError } from '../sys/plan/plan-error.ts';
import { type StageReport, StageSession } from '../sys/stage/session.ts';
import { syscall, trySyscall } from '../sys/syscall.ts';
import { waitFor } from '../sys/wait.ts';
import type { Bundle } from './bundle.ts';
import { cgroupMount, placeInCgroup } from './cgroup-placement.ts';
import { specState } from './container-state.ts';
import { RuntimeError } from './errors.ts';
import { withHome } from './home.ts';
import { runHooks, statusText } from './hooks.ts';
import { writeIdMappings } from './id-mappings.ts';
import { identify } from './process-identity.ts';
import { setRlimits, withOpenFiles } from './rlimits.ts';
import type { SavedState, StateDirectory, StateStore } from './state-store.ts';

const SIGKILL = 9;

export interface CreateOptions {
  /** `create`: wait for start. `run`: go on as soon as the state is saved. */
  readonly gate: 'fifo' | 'host';
  readonly preserveFds: number;
  /** How many of them are sockets of socket activation. */
  readonly listenFds: number;
  readonly stdio?: readonly [number, number, number];
  readonly newKeyring: boolean;
  readonly rootless: boolean;
  /** The soft limit of open files that the caller of the runtime had. */
  readonly openFilesLimit: number | undefined;
  /** Gets the terminal, when the config asks for one; owns it then. */
  onTerminal(terminal: Fd): void | Promise<void>;
}

/** A container whose process waits at its gate. */
export class Creation implements Disposable {
  readonly state: SavedState;
  readonly bundle: Bundle;
  readonly directory: StateDirectory;
  readonly cgroup: Cgroup | undefined;
  readonly session: StageSession;
  readonly pid: number;
  /** Takes the whole creation back. */
  readonly abandon: () => Promise<void>;

  constructor(fields: {
    state: SavedState;
    bundle: Bundle;
    directory: StateDirectory;
    cgroup: Cgroup | undefined;
    session: StageSession;
    pid: number;
    abandon: () => Promise<void>;
  }) {
    this.state = fields.state;
    this.bundle = fields.bundle;
    this.directory = fields.directory;
    this.cgroup = fields.cgroup;
    this.session = fields.session;
    this.pid = fields.pid;
    this.abandon = fields.abandon;
  }

  /** Lets the process go on, and waits until it is the container's program. @throws {Error} why it did not */
  start(): void {
    this.session.answer();
    awaitExec(this.session);
  }

  [Symbol.dispose](): void {
    this.session[Symbol.dispose]();
    this.directory[Symbol.dispose]();
  }
}

/** Creates the container `id`. A failure leaves nothing behind. */
export async function createContainer(
  store: StateStore,
  id: string,
  bundle: Bundle,
  options: CreateOptions,
): Promise<Creation> {
  const directory = store.create(id);
  const attempt = new Attempt(id, bundle, options, directory);
  try {
    return await attempt.run();
  } catch (error) {
    await attempt.undo();
    throw error;
  }
}

/** Everything that one creation has made so far, so that it can be taken back. */
class Attempt {
  readonly #id: string;
  readonly #bundle: Bundle;
  readonly #options: CreateOptions;
  readonly #directory: StateDirectory;
  #cgroup: Cgroup | undefined;
  #session: StageSession | undefined;
  #pid = 0;
  #isIntermediate = false;
  #awaitsSecondPid = false;
  #state: SavedState | undefined;
  #programs: CreatePrograms | undefined;
  #hooksRan = false;
  readonly #rlimits: readonly Rlimit[];

  constructor(id: string, bundle: Bundle, options: CreateOptions, directory: StateDirectory) {
    this.#id = id;
    this.#bundle = bundle;
    this.#options = options;
    this.#directory = directory;
    this.#rlimits = withOpenFiles(bundle.config.process?.rlimits ?? [], options.openFilesLimit);
  }

  async run(): Promise<Creation> {
    const { config } = this.#bundle;
    this.#cgroup = placeInCgroup(this.#id, config, this.#options.rootless, this.#directory);
    this.#state = this.#initialState();
    this.#directory.save(this.#state); // so that delete --force finds the cgroup, whatever happens to us
    this.#directory.saveConfig(this.#bundle.configText);
    const session = this.#launch();
    await this.#converse(session);
    if ((config.hooks?.startContainer ?? []).length > 0) {
      session.answer(hookState(this.#state, 'created', containerPid(this.#pid)));
    }
    const state = { ...this.#state, process: identify(this.#pid), ...this.#lateSteps(session) };
    this.#state = state;
    this.#directory.save(state);
    return new Creation({
      state,
      bundle: this.#bundle,
      directory: this.#directory,
      cgroup: this.#cgroup,
      session,
      pid: this.#pid,
      abandon: () => this.undo(),
    });
  }

  #initialState(): SavedState {
    const { config, path, rootfs } = this.#bundle;
    const { fresh } = chooseNamespaces(config.linux?.namespaces);
    return {
      version: 1,
      id: this.#id,
      bundle: path,
      rootfs,
      created: new Date().toISOString(),
      owner: process.geteuid?.() ?? 0,
      ownPidNamespace: fresh.has('pid'),
      ociVersion: config.ociVersion,
      ...(this.#cgroup === undefined ? {} : { cgroup: this.#cgroup.save() }),
      ...(config.annotations === undefined ? {} : { annotations: config.annotations }),
    };
  }

  #launch(): StageSession {
    const { gate, preserveFds, rootless, stdio } = this.#options;
    using fifo = gate === 'fifo' ? makeFifo(this.#directory.fifo) : undefined;
    const facts = createFacts(this.#bundle, {
      rootless,
      preserveFds,
      hasCgroup: this.#cgroup !== undefined,
      rlimits: this.#rlimits,
      newKeyring: this.#options.newKeyring,
      cgroupMount: cgroupMount(this.#bundle.config, this.#cgroup),
      gate: fifo === undefined ? 'host' : { fifo: `self/fd/${fifo.number}` },
    });
    this.#programs = compileCreate(this.#finalConfig(), facts);
    const opened = executeProgram(this.#programs.host);
    try {
      const given = new Map(opened);
      if (this.#cgroup !== undefined) given.set(CGROUP.name, this.#cgroup.fd.number);
      if (fifo !== undefined) given.set(FIFO.name, fifo.number);
      this.#session = StageSession.launch(this.#programs.stage, {
        given,
        controlSlot: CONTROL.name,
        preserveFds,
        fallbackDirectory: this.#directory.path,
        ...(stdio === undefined ? {} : { stdio }),
      });
      return this.#session;
    } finally {
      for (const fd of opened.values()) new Fd(fd)[Symbol.dispose]();
    }
  }

  /** With what the environment gets from the runtime. */
  #finalConfig(): Config {
    const config = withHome(this.#bundle);
    const { listenFds } = this.#options;
    if (config.process === undefined || listenFds === 0) return config;
    const env = [...(config.process.env ?? []), `LISTEN_FDS=${listenFds}`, 'LISTEN_PID=1'];
    return { ...config, process: { ...config.process, env } };
  }

  /**
   * Answers what the stage asks for, until the container is created. Parent and child write to the same socket: the
   * child may be heard of before its pid, which everything about it has to wait for.
   */
  async #converse(session: StageSession): Promise<void> {
    const early: StageReport[] = [];
    for (;;) {
      const report = (this.#knowsPid() ? early.shift() : undefined) ?? nextReport(session);
      if (report === undefined) throw this.#earlyEnd();
      const isPid = report.label === REPORTS.pid || report.label === REPORTS.intermediate;
      if (!isPid && !this.#knowsPid()) early.push(report);
      else if (report.fd !== undefined) await this.#options.onTerminal(report.fd);
      else if (report.label === REPORTS.created) return;
      else await this.#answer(session, report.label, report.value);
    }
  }

  /** Of the process that speaks now: the one in between, and after it has its mappings, the container's. */
  #knowsPid(): boolean {
    return this.#pid !== 0 && !this.#awaitsSecondPid;
  }

  async #answer(session: StageSession, label: string, value: number): Promise<void> {
    const { config, path } = this.#bundle;
    switch (label) {
      case REPORTS.pid:
      case REPORTS.intermediate:
        if (this.#pid === 0) session.reap();
        else waitFor(this.#pid); // the process in between has done its work
        this.#pid = value;
        this.#awaitsSecondPid = false;
        this.#isIntermediate = label === REPORTS.intermediate;
        break;
      case REPORTS.mapIds:
        await writeIdMappings(this.#pid, config.linux ?? {}, this.#options.rootless);
        setRlimits(this.#pid, this.#rlimits);
        this.#awaitsSecondPid = this.#isIntermediate;
        session.answer();
        break;
      case REPORTS.runtimeHooks: {
        this.#hooksRan = true;
        const state = hookState(this.#mustState(), 'creating', this.#pid);
        const context = { state: state.toString(), cwd: path };
        await runHooks('prestart', config.hooks?.prestart, context);
        await runHooks('createRuntime', config.hooks?.createRuntime, context);
        session.answer(hookState(this.#mustState(), 'creating', containerPid(this.#pid)));
        break;
      }
      default:
        break; // a value for an error to come
    }
  }

  #mustState(): SavedState {
    if (this.#state === undefined) throw new Error('no state yet');
    return this.#state;
  }

  #earlyEnd(): Error {
    const child = this.#pid === 0 ? this.#session?.pid : this.#pid;
    const { code, signal } = child === undefined ? { code: 0, signal: 0 } : waitFor(child);
    const text =
      signal === SIGKILL
        ? 'container init was OOM-killed (memory limit too low?)'
        : `container init ended before it was created (exit status ${code}, signal ${signal})`;
    return new RuntimeError('INIT_DIED', text);
  }

  /** Labels of the steps behind the gate, which `start` may have to name. */
  #lateSteps(session: StageSession): Pick<SavedState, 'late'> {
    if (this.#options.gate === 'host') return {};
    const { steps } = session.program;
    const first = steps.findIndex(({ label }) => label === REPORTS.created);
    return {
      late: {
        first,
        steps: steps.slice(first).map((step) => ({
          label: step.label,
          ...('failure' in step && step.failure !== undefined ? { failure: step.failure } : {}),
        })),
      },
    };
  }

  async undo(): Promise<void> {
    this.#session?.[Symbol.dispose]();
    if (this.#pid !== 0 && trySyscall('kill', this.#pid, SIGKILL) === 0) waitFor(this.#pid);
    await this.#cgroup?.kill();
    await this.#cgroup?.remove();
    this.#cgroup?.[Symbol.dispose]();
    if (this.#hooksRan && this.#state !== undefined) await this.#runPoststop(this.#state);
    this.#directory.remove();
    this.#directory[Symbol.dispose]();
  }

  /** runtime.md "Lifecycle": what failing create-time hooks end in is the same as delete. */
  async #runPoststop(state: SavedState): Promise<void> {
    const context = { state: hookState(state, 'stopped', 0).toString(), cwd: this.#bundle.path };
    try {
      await runHooks('poststop', this.#bundle.config.hooks?.poststop, context);
    } catch {
      // The standard: continue as if it had not failed. The first error is the one to tell.
    }
  }
}

/** @throws {Error} the failed step's; a hook's with the exit status that it reported just before */
export function nextReport(session: StageSession): ReturnType<StageSession['next']> {
  try {
    return session.next();
  } catch (error) {
    throw withHookStatus(error, session.lastReport);
  }
}

/** Blocks until the stage is the container's program, which closes the socket. */
export function awaitExec(session: StageSession): void {
  for (;;) if (nextReport(session) === undefined) return;
}

/** Puts the wait status into the text of a failed hook. */
export function withHookStatus(error: unknown, status: number): unknown {
  if (!(error instanceof PlanError) || !error.message.includes(STATUS_PLACEHOLDER)) return startError(error);
  return new RuntimeError('HOOK', error.message.replace(STATUS_PLACEHOLDER, statusText(status)));
}

/** runc's prefix for whatever fails between clone and exec. */
function startError(error: unknown): unknown {
  if (!(error instanceof PlanError)) return error;
  return new RuntimeError('START', `unable to start container process: ${error.message}`, {
    cause: undefined,
  });
}

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

export function createFacts(
  bundle: Bundle,
  facts: Pick<
    CreateFacts,
    'rootless' | 'preserveFds' | 'hasCgroup' | 'gate' | 'rlimits' | 'newKeyring' | 'cgroupMount'
  >,
): CreateFacts {
  return {
    ...facts,
    bundle: bundle.path,
    rootfs: bundle.rootfs,
    isDirectory: isDirectory,
    hostHasKcore: existsSync('/proc/kcore'),
  };
}

/** A source that does not exist is the plan's to report, with the mount that names it. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) return true;
    throw error;
  }
}

/** The container's user opens it for writing, whoever that is; the directory keeps everybody else out. */
const FIFO_MODE = 0o622;

function makeFifo(path: string): Fd {
  syscall('mknodat', AT_FDCWD, path, S_IFIFO | FIFO_MODE, 0);
  chmodSync(path, FIFO_MODE); // the umask may have taken some of it away
  return new Fd(openSync(path, O_PATH | O_NOFOLLOW));
}

/** The pid that the container's own processes see. @see proc_pid_status(5), NSpid */
export function containerPid(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? pid);
}
