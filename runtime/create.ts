// From a bundle to a container that is created: the host's side of the plan.
import { chmodSync, openSync } from 'node:fs';
import type { Cgroup } from '../cgroups/cgroup.ts';
import { confineDevices } from '../cgroups/devices/confine.ts';
import { type CreatePrograms, FIFO } from '../namespaces/create.ts';
import { CGROUP, CONTROL, REPORTS } from '../namespaces/enter.ts';
import { chooseNamespaces } from '../namespaces/kinds.ts';
import { AT_FDCWD, O_PATH, S_IFIFO } from '../sys/abi/constants.ts';
import { O_NOFOLLOW } from '../sys/abi/fcntl.ts';
import { Fd } from '../sys/fd.ts';
import { executeProgram } from '../sys/plan/execute.ts';
import { type StageReport, StageSession } from '../sys/stage/session.ts';
import { syscall, trySyscall } from '../sys/syscall.ts';
import { waitFor } from '../sys/wait.ts';
import type { Bundle } from './bundle.ts';
import { makeCgroup } from './cgroup-placement.ts';
import { copyUp } from './copy-up.ts';
import {
  type CreationFacts,
  type CreationRequest,
  compileCreation,
  creationFacts,
} from './creation-facts.ts';
import { RuntimeError } from './errors.ts';
import { containerPid, hookState } from './hook-state.ts';
import { runHooks } from './hooks.ts';
import { type HostAction, type HostStep, hostSteps } from './host-steps.ts';
import { writeIdMappings } from './id-mappings.ts';
import { identify } from './process-identity.ts';
import { setRlimits } from './rlimits.ts';
import { awaitExec, nextReport } from './stage-reports.ts';
import type { Launched, SavedState, StateDirectory, StateStore } from './state-store.ts';
import type { CreationTrace } from './trace.ts';

const SIGKILL = 9;

export type PhaseListener = (label: string, milliseconds: number) => void;

export interface CreateOptions extends CreationRequest {
  readonly stdio?: readonly [number, number, number];
  /** What `launch` made for it, to be removed with it. */
  readonly launched?: Launched;
  /** Told after each part of the creation how long it took. */
  readonly onPhase?: PhaseListener | undefined;
  readonly trace?: CreationTrace | undefined;
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
  readonly trace: CreationTrace | undefined;
  /** Takes the whole creation back. */
  readonly abandon: () => Promise<void>;

  constructor(fields: {
    state: SavedState;
    bundle: Bundle;
    directory: StateDirectory;
    cgroup: Cgroup | undefined;
    session: StageSession;
    pid: number;
    trace: CreationTrace | undefined;
    abandon: () => Promise<void>;
  }) {
    this.state = fields.state;
    this.bundle = fields.bundle;
    this.directory = fields.directory;
    this.cgroup = fields.cgroup;
    this.session = fields.session;
    this.pid = fields.pid;
    this.trace = fields.trace;
    this.abandon = fields.abandon;
  }

  /** Lets the process go on, and waits until it is the container's program. @throws {Error} why it did not */
  start(): void {
    this.session.answer();
    try {
      awaitExec(this.session);
    } finally {
      this.trace?.[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.trace?.[Symbol.dispose]();
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
  const attempt = new Attempt(store, creationFacts(store.directory(id), id, bundle, options), options);
  try {
    return await attempt.run();
  } catch (error) {
    await attempt.undo();
    throw error;
  }
}

/** Everything that one creation has made so far, so that it can be taken back. */
class Attempt {
  readonly #store: StateStore;
  readonly #facts: CreationFacts;
  readonly #options: CreateOptions;
  readonly #steps: readonly HostStep[];
  /** Handed to the stage, or of no use any more once it runs. */
  readonly #opened = new DisposableStack();
  readonly #given = new Map<string, number>();
  #directory: StateDirectory | undefined;
  #cgroup: Cgroup | undefined;
  #fifo: Fd | undefined;
  #programs: CreatePrograms | undefined;
  #session: StageSession | undefined;
  #pid = 0;
  #isIntermediate = false;
  #awaitsSecondPid = false;
  #state: SavedState | undefined;
  #hooksRan = false;

  constructor(store: StateStore, facts: CreationFacts, options: CreateOptions) {
    this.#store = store;
    this.#facts = facts;
    this.#options = options;
    this.#steps = hostSteps(facts);
  }

  async run(): Promise<Creation> {
    for (const { does, answers, label } of this.#steps) {
      if (answers === undefined) await this.#timed(label, this.#actions[does]);
    }
    await this.#converse();
    return new Creation({
      state: present(this.#state),
      bundle: this.#facts.bundle,
      directory: present(this.#directory),
      cgroup: this.#cgroup,
      session: present(this.#session),
      pid: this.#pid,
      trace: this.#options.trace,
      abandon: () => this.undo(),
    });
  }

  async #timed(label: string, action: () => void | Promise<void>): Promise<void> {
    const { onPhase, trace } = this.#options;
    if (onPhase === undefined && trace === undefined) {
      await action();
      return;
    }
    const begin = process.hrtime.bigint();
    try {
      await action();
    } finally {
      const end = process.hrtime.bigint();
      onPhase?.(label, Number(end - begin) / 1e6);
      trace?.add(label, begin, end);
    }
  }

  /** What each step of the table is, as a function. */
  readonly #actions: Readonly<Record<HostAction, (report?: StageReport) => void | Promise<void>>> = {
    makeDirectory: () => {
      this.#directory = this.#store.create(this.#facts.id);
    },
    // Before it is made: a creation that is killed right then can be cleaned up.
    noteCgroup: () => present(this.#directory).noteCgroup(present(this.#facts.cgroup).path),
    makeCgroup: () => this.#makeCgroup(),
    confineDevices: () => this.#confineDevices(),
    saveState: () => this.#save(this.#initialState()), // so that delete --force finds the cgroup, whatever happens
    saveConfig: () => present(this.#directory).saveConfig(this.#facts.bundle.configText),
    makeFifo: () => {
      this.#fifo = this.#opened.use(makeFifo(present(this.#directory).fifo));
    },
    openOnHost: () => this.#openOnHost(),
    startStage: () => this.#startStage(),
    takePid: (report) => this.#takePid(present(report)),
    mapIds: () => {
      const { config, request } = this.#facts;
      this.#awaitsSecondPid = this.#isIntermediate;
      return writeIdMappings(this.#pid, config.linux ?? {}, request.rootless);
    },
    setRlimits: () => setRlimits(this.#pid, this.#facts.rlimits),
    letGoOn: () => present(this.#session).answer(),
    runHooks: () => this.#runHooks(),
    sendStateForCreate: () => this.#sendState('creating'),
    passTerminal: (report) => this.#options.onTerminal(present(report?.fd)),
    sendStateForStart: () => this.#sendState('created'),
    saveProcess: () => this.#saveProcess(),
  };

  #makeCgroup(): void {
    const { cgroup, config, request } = this.#facts;
    this.#cgroup = makeCgroup(present(cgroup), config, request.rootless);
    if (this.#cgroup !== undefined) this.#given.set(CGROUP.name, this.#cgroup.fd.number);
  }

  #confineDevices(): void {
    const { devices, request } = this.#facts;
    if (this.#cgroup !== undefined) confineDevices(this.#cgroup.fd, devices, request.rootless);
  }

  #save(state: SavedState): void {
    this.#state = state;
    present(this.#directory).save(state);
  }

  #initialState(): SavedState {
    const { config, path, rootfs } = this.#facts.bundle;
    const { fresh } = chooseNamespaces(config.linux?.namespaces);
    return {
      version: 1,
      id: this.#facts.id,
      bundle: path,
      rootfs,
      created: new Date().toISOString(),
      owner: process.geteuid?.() ?? 0,
      ownPidNamespace: fresh.has('pid'),
      ociVersion: config.ociVersion,
      ...(this.#cgroup === undefined ? {} : { cgroup: this.#cgroup.save() }),
      ...(config.annotations === undefined ? {} : { annotations: config.annotations }),
      ...(this.#options.launched === undefined ? {} : { launched: this.#options.launched }),
    };
  }

  #openOnHost(): void {
    const made = { cgroupPath: this.#cgroup?.path, fifo: this.#fifo?.number };
    this.#programs = compileCreation(this.#facts, made);
    this.#options.trace?.plan(this.#steps, this.#programs);
    const slots = executeProgram(this.#programs.host);
    for (const { name } of this.#programs.handed) {
      this.#given.set(name, this.#opened.use(new Fd(Number(slots.get(name)))).number);
    }
    for (const { tree, destination } of this.#programs.copyUps) {
      copyUp(this.#facts.bundle.rootfs, destination, this.#given.get(tree.name) ?? -1);
    }
  }

  #startStage(): void {
    const { stdio } = this.#options;
    if (this.#fifo !== undefined) this.#given.set(FIFO.name, this.#fifo.number);
    this.#session = StageSession.launch(present(this.#programs).stage, {
      given: this.#given,
      controlSlot: CONTROL.name,
      preserveFds: this.#facts.request.preserveFds,
      traceFd: this.#options.trace?.fd,
      fallbackDirectory: present(this.#directory).path,
      ...(stdio === undefined ? {} : { stdio }),
    });
    this.#opened.dispose();
  }

  /**
   * Answers what the stage asks for, until the container is created. Parent and child write to the same socket: the
   * child may be heard of before its pid, which everything about it has to wait for.
   */
  async #converse(): Promise<void> {
    const early: StageReport[] = [];
    for (;;) {
      const report = (this.#knowsPid() ? early.shift() : undefined) ?? (await this.#nextReport());
      if (report === undefined) throw this.#earlyEnd();
      const isPid = report.label === REPORTS.pid || report.label === REPORTS.intermediate;
      if (!isPid && !this.#knowsPid()) {
        early.push(report);
        continue;
      }
      await this.#answer(report);
      if (report.label === REPORTS.created) return;
    }
  }

  async #nextReport(): Promise<StageReport | undefined> {
    let report: StageReport | undefined;
    await this.#timed('wait for the stage', () => {
      report = nextReport(present(this.#session));
    });
    return report;
  }

  /** Of the process that speaks now: the one in between, and after it has its mappings, the container's. */
  #knowsPid(): boolean {
    return this.#pid !== 0 && !this.#awaitsSecondPid;
  }

  /** A report that no step answers has a value for an error to come. */
  async #answer(report: StageReport): Promise<void> {
    const label = report.fd === undefined ? report.label : REPORTS.terminal;
    for (const { does, answers, label: what } of this.#steps) {
      if (answers === label) await this.#timed(what, () => this.#actions[does](report));
    }
  }

  #takePid({ label, value }: StageReport): void {
    if (this.#pid === 0) present(this.#session).reap();
    else waitFor(this.#pid); // the process in between has done its work
    this.#pid = value;
    this.#awaitsSecondPid = false;
    this.#isIntermediate = label === REPORTS.intermediate;
  }

  async #runHooks(): Promise<void> {
    const { bundle, config } = this.#facts;
    this.#hooksRan = true;
    const state = hookState(present(this.#state), 'creating', this.#pid);
    const context = { state: state.toString(), cwd: bundle.path };
    await runHooks('prestart', config.hooks?.prestart, context);
    await runHooks('createRuntime', config.hooks?.createRuntime, context);
  }

  /** For the hooks that the stage runs, whose container has pids of its own. */
  #sendState(status: 'creating' | 'created'): void {
    present(this.#session).answer(hookState(present(this.#state), status, containerPid(this.#pid)));
  }

  #saveProcess(): void {
    this.#save({ ...present(this.#state), process: identify(this.#pid), ...this.#lateSteps() });
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
  #lateSteps(): Pick<SavedState, 'late'> {
    if (this.#facts.request.gate === 'host') return {};
    const { steps } = present(this.#programs).stage;
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
    this.#options.trace?.[Symbol.dispose]();
    this.#opened.dispose();
    this.#session?.[Symbol.dispose]();
    if (this.#pid !== 0 && trySyscall('kill', this.#pid, SIGKILL) === 0) waitFor(this.#pid);
    await this.#cgroup?.kill();
    await this.#cgroup?.remove();
    this.#cgroup?.[Symbol.dispose]();
    if (this.#hooksRan && this.#state !== undefined) await this.#runPoststop(this.#state);
    this.#directory?.remove();
    this.#directory?.[Symbol.dispose]();
  }

  /** runtime.md "Lifecycle": what failing create-time hooks end in is the same as delete. */
  async #runPoststop(state: SavedState): Promise<void> {
    const context = { state: hookState(state, 'stopped', 0).toString(), cwd: this.#facts.bundle.path };
    try {
      await runHooks('poststop', this.#facts.bundle.config.hooks?.poststop, context);
    } catch {
      // The standard: continue as if it had not failed. The first error is the one to tell.
    }
  }
}

/** What a step before this one in the table has made. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a step of the creation came too early');
  return value;
}

/** The container's user opens it for writing, whoever that is; the directory keeps everybody else out. */
const FIFO_MODE = 0o622;

function makeFifo(path: string): Fd {
  syscall('mknodat', AT_FDCWD, path, S_IFIFO | FIFO_MODE, 0);
  chmodSync(path, FIFO_MODE); // the umask may have taken some of it away
  return new Fd(openSync(path, O_PATH | O_NOFOLLOW));
}
