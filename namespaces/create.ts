// config.json → the two programs that create a container: what the host opens, and what the stage does.
// Pure: what depends on the machine comes in as facts.

import type { Hook } from '../spec/config/hooks.ts';
import type { Linux } from '../spec/config/linux.ts';
import type { Rlimit } from '../spec/config/process.ts';
import type { Config } from '../spec/config.ts';
import { AT_FDCWD, CLONE_NEWCGROUP, O_CLOEXEC, O_PATH, O_RDONLY } from '../sys/abi/constants.ts';
import { cString, flags, Program, type Slot, slot } from '../sys/plan/program.ts';
import { allDevices, bindDevices, makeDeviceLinks, makeDevices } from './devices.ts';
import {
  awaitHost,
  becomeMappedRoot,
  becomeUndumpable,
  CGROUP,
  enterNamespaces,
  namespaceFd,
  REPORTS,
  startKeyring,
  writeOwnProcFile,
} from './enter.ts';
import { openGate } from './gate.ts';
import { receiveState, runHooks } from './hooks.ts';
import { chooseNamespaces, type NamespaceChoice } from './kinds.ts';
import { maskedPaths, readonlyPaths } from './masks.ts';
import { attach, newFilesystem } from './mount-steps.ts';
import {
  attachMount,
  becomeSlave,
  cloneRootfs,
  cloneSource,
  type MountContext,
  type MountJob,
  makeDetached,
  makeReadonly,
  mountJobs,
} from './mounts.ts';
import { bringLoopbackUp } from './network.ts';
import { close } from './paths.ts';
import { prepareProcess } from './prepare.ts';
import { execute, findProgram, makeWorkingDirectory, personalityNumber } from './process.ts';
import { attachRootfs, leaveHostMounts, pivot, ROOT, setRootPropagation } from './rootfs.ts';
import { useEveryProcessor } from './scheduling.ts';
import { writeSysctls } from './sysctl.ts';
import { makeTerminal } from './terminal.ts';

/** An O_PATH descriptor of the exec fifo, which `start` opens. */
export const FIFO = slot('fifo');
/** The host's procfs, for the case that the container's user namespace may not mount one. */
export const HOST_PROC = slot('host-proc');

/** The exec fifo as the stage reopens it, `self/fd/N` below a procfs; or the host's word. */
export type Gate = { readonly fifo: string } | 'host';

export interface CreateFacts extends Omit<MountContext, 'sysfsFallback' | 'mayCopyUp' | 'mayShare'> {
  /** Absolute path of the root file system. */
  readonly rootfs: string;
  /** The runtime has no privilege on the host: what needs one is done in the user namespace. */
  readonly rootless: boolean;
  /** The container has a cgroup, and the stage gets its descriptor. */
  readonly hasCgroup: boolean;
  readonly hostHasKcore: boolean;
  /** `create` leaves a container that waits for `start`; `run` goes on as soon as the host says so. */
  readonly gate: Gate;
  readonly preserveFds: number;
  readonly newKeyring: boolean;
  /** Of the process, with what the runtime adds. */
  readonly rlimits: readonly Rlimit[];
}

export interface CreatePrograms {
  /** Run by the host before the stage starts. */
  readonly host: Program;
  /** The descriptors that it leaves open for the stage. */
  readonly handed: readonly Slot[];
  readonly stage: Program;
  readonly choice: NamespaceChoice;
  /** What the host fills between the two. */
  readonly copyUps: readonly Pick<MountJob, 'destination' | 'tree'>[];
}

export function compileCreate(config: Config, facts: CreateFacts): CreatePrograms {
  return new Compiler(config, facts).compile();
}

class Compiler {
  readonly #config: Config;
  readonly #linux: Linux;
  readonly #facts: CreateFacts;
  readonly #choice: NamespaceChoice;
  readonly #jobs: readonly MountJob[];
  readonly #host = new Program();
  readonly #stage = new Program();
  readonly #handed: Slot[] = [];

  constructor(config: Config, facts: CreateFacts) {
    this.#config = config;
    this.#linux = config.linux ?? {};
    this.#facts = facts;
    this.#choice = chooseNamespaces(this.#linux.namespaces);
    const sysfsFallback = this.#choice.fresh.has('user') && !this.#choice.fresh.has('network');
    this.#jobs = mountJobs(config.mounts ?? [], {
      ...facts,
      sysfsFallback,
      mayCopyUp: !this.#hasUserNamespace(),
      mayShare: !this.#hasUserNamespace() && /^r?shared$/.test(this.#linux.rootfsPropagation ?? ''),
    });
  }

  compile(): CreatePrograms {
    this.#prepareOnHost();
    this.#enter();
    if (this.#choice.fresh.has('mount')) this.#buildRoot();
    this.#startProcess();
    const copyUps = this.#jobs.filter(({ copyUp }) => copyUp);
    return { host: this.#host, handed: this.#handed, stage: this.#stage, choice: this.#choice, copyUps };
  }

  /** Descriptors of what only the host can reach: namespaces to join, mount sources. */
  #prepareOnHost(): void {
    const p = this.#host;
    for (const [type, path] of this.#choice.joined) {
      const label = `open the ${type} namespace ${JSON.stringify(path)}`;
      p.call(label, 'openat', [AT_FDCWD, cString(path), O_RDONLY | O_CLOEXEC], { into: namespaceFd(type) });
      this.#handed.push(namespaceFd(type));
    }
    if (this.#needsHostProc()) {
      p.call("open the host's procfs", 'openat', [AT_FDCWD, cString('/proc'), O_PATH | O_CLOEXEC], {
        into: HOST_PROC,
      });
      this.#handed.push(HOST_PROC);
    }
    if (this.#facts.rootless || !this.#choice.fresh.has('mount')) return;
    this.#handed.push(...this.#cloneSources(p));
  }

  /** @returns what it has opened */
  #cloneSources(p: Program): Slot[] {
    cloneRootfs(p, this.#facts.rootfs, ROOT);
    const jobs = this.#jobs.filter(({ source, copyUp }) => source !== undefined || copyUp);
    for (const job of jobs) makeDetached(p, job);
    const devices = this.#devicesToBind();
    for (const { path } of devices) {
      cloneSource(p, path, false, deviceTree(path), path);
      becomeSlave(p, deviceTree(path), path);
    }
    return [ROOT, ...jobs.map(({ tree }) => tree), ...devices.map(({ path }) => deviceTree(path))];
  }

  #hasUserNamespace(): boolean {
    return this.#choice.fresh.has('user') || this.#choice.joined.has('user') || this.#facts.rootless;
  }

  #devicesToBind(): { path: string }[] {
    return this.#hasUserNamespace() ? this.#devices() : [];
  }

  #devices() {
    return allDevices(this.#linux.devices ?? []);
  }

  #enter(): void {
    const p = this.#stage;
    const { process } = this.#config;
    if (!this.#facts.rootless) becomeUndumpable(p);
    p.call('leave no mode bit out', 'umask', [0]);
    useEveryProcessor(p);
    if (process?.oomScoreAdj !== undefined) writeOwnProcFile(p, 'oom_score_adj', String(process.oomScoreAdj));
    enterNamespaces(p, {
      choice: this.#choice,
      timeOffsets: this.#linux.timeOffsets,
      rootless: this.#facts.rootless,
      intoCgroup: this.#facts.hasCgroup,
    });
    if (this.#facts.hasCgroup) close(p, CGROUP);
    for (const type of this.#choice.joined.keys()) close(p, namespaceFd(type));
    p.call('start a session', 'setsid', []);
    if (this.#facts.newKeyring) startKeyring(p);
    if (this.#choice.fresh.has('network')) bringLoopbackUp(p);
    if (this.#choice.fresh.has('cgroup')) {
      p.call('make a cgroup namespace', 'unshare', [flags(CLONE_NEWCGROUP, 'CLONE_NEWCGROUP')]);
    }
    const { hostname, domainname } = this.#config;
    if (hostname !== undefined) setName(p, 'sethostname', hostname);
    if (domainname !== undefined) setName(p, 'setdomainname', domainname);
  }

  #buildRoot(): void {
    const p = this.#stage;
    const { facts, jobs } = { facts: this.#facts, jobs: this.#jobs };
    leaveHostMounts(p);
    if (facts.rootless) this.#cloneSources(p);
    attachRootfs(p, facts.rootfs);
    if (this.#choice.fresh.has('user') || this.#choice.joined.has('user')) {
      becomeMappedRoot(p);
      becomeUndumpable(p);
    }
    for (const job of jobs) if (job.source === undefined && !job.copyUp) makeDetached(p, job);
    const proc = this.#procHandle();
    if (!this.#pivotsLate()) pivot(p);
    jobs.forEach((job, index) => {
      attachMount(p, ROOT, job, jobs.slice(0, index));
    });
    this.#fillDev();
    if (this.#pivotsLate()) this.#createHooksAndPivot();
    setRootPropagation(p, this.#linux.rootfsPropagation);
    this.#terminal();
    this.#makeReadonly();
    writeSysctls(p, proc, this.#linux.sysctl ?? {});
    readonlyPaths(p, ROOT, this.#linux.readonlyPaths ?? []);
    maskedPaths(p, ROOT, this.#linux.maskedPaths ?? []);
  }

  /** Hooks that have to see the container's mounts below the host's paths force the late pivot_root. */
  #pivotsLate(): boolean {
    const { prestart, createRuntime, createContainer } = this.#config.hooks ?? {};
    return [prestart, createRuntime, createContainer].some((hooks) => (hooks ?? []).length > 0);
  }

  #createHooksAndPivot(): void {
    const p = this.#stage;
    const createContainer: readonly Hook[] = this.#config.hooks?.createContainer ?? [];
    p.report(REPORTS.runtimeHooks, 0);
    receiveState(p);
    // Not the container's root: a hook's relative names must not meet what an image put there (CVE-2025-23266).
    p.call('leave the working directory for "/"', 'chdir', [cString('/')]);
    runHooks(p, 'createContainer', createContainer);
    pivot(p);
  }

  /** A procfs for the runtime's own writes: the container's, before anyone else has it, or one that nobody sees. */
  #procHandle(): Slot {
    const own = this.#ownProc();
    if (own !== undefined) return own.tree;
    const proc = slot('proc');
    if (Object.keys(this.#linux.sysctl ?? {}).length === 0 && this.#facts.gate === 'host') return proc;
    const [refused, made] = [this.#stage.fresh('refused'), this.#stage.fresh('proc')];
    newFilesystem(this.#stage, {
      type: 'proc',
      what: 'a procfs for the runtime',
      parameters: [],
      attributes: 0,
      into: proc,
      onRefusal: refused,
    });
    this.#stage.goTo(made);
    this.#stage.mark(refused);
    this.#stage.set("use the host's procfs", proc, HOST_PROC);
    this.#stage.mark(made);
    return proc;
  }

  #needsHostProc(): boolean {
    return this.#ownProc() === undefined || !this.#choice.fresh.has('mount');
  }

  #fillDev(): void {
    // A bound /dev is somebody else's and stays as it is.
    if (this.#jobs.some(({ destination, source }) => destination === '/dev' && source !== undefined)) return;
    const p = this.#stage;
    const bound = this.#devicesToBind();
    if (bound.length > 0) {
      const sources = new Map(bound.map(({ path }) => [path, deviceTree(path)]));
      bindDevices(p, ROOT, this.#devices(), sources, attach, this.#jobs);
    } else {
      makeDevices(p, ROOT, this.#devices(), this.#jobs);
    }
    makeDeviceLinks(p, ROOT, this.#facts.hostHasKcore, this.#jobs);
  }

  #terminal(): void {
    const { process } = this.#config;
    if (process?.terminal !== true) return;
    makeTerminal(this.#stage, ROOT, { size: process.consoleSize, user: process.user, asConsole: true });
  }

  #makeReadonly(): void {
    const p = this.#stage;
    for (const { type, flags: mountFlags, tree, destination } of this.#jobs) {
      if (type === 'tmpfs' && (mountFlags.attributes.set & 1) !== 0) makeReadonly(p, tree, destination);
    }
    if (this.#config.root.readonly === true) makeReadonly(p, ROOT, '/');
  }

  #startProcess(): void {
    const p = this.#stage;
    const { process, hooks } = this.#config;
    if (process === undefined) throw new Error('process property must not be empty');
    const { personality } = this.#linux;
    if (personality !== undefined) {
      p.call(`take the personality ${personality.domain}`, 'personality', [
        personalityNumber(personality.domain),
      ]);
    }
    const program = slot('program');
    if (this.#choice.fresh.has('mount')) makeWorkingDirectory(p, ROOT, process.cwd);
    this.#closeMounts();
    prepareProcess(p, process, {
      maySetGroups: this.#maySetGroups(),
      // In a user namespace the host sets them: nobody in there may raise one.
      rlimits: this.#choice.fresh.has('user') || this.#choice.joined.has('user') ? [] : this.#facts.rlimits,
    });
    findProgram(p, process, program);
    const startHooks = hooks?.startContainer ?? [];
    p.report(REPORTS.created, 0);
    if (startHooks.length > 0) receiveState(p);
    this.#waitAtGate();
    runHooks(p, 'startContainer', startHooks);
    const { args, env = [] } = process;
    execute(p, { program, args, env, preserved: this.#facts.preserveFds });
  }

  /** A rootless caller without newgidmap has to give setgroups up before it may map gids. */
  #maySetGroups(): boolean {
    const single = (this.#linux.gidMappings ?? []).every(({ size }) => size === 1);
    return !(this.#facts.rootless && this.#choice.fresh.has('user') && single);
  }

  #waitAtGate(): void {
    const p = this.#stage;
    const { gate } = this.#facts;
    if (gate === 'host') {
      awaitHost(p, 'recorded the container');
      return;
    }
    openGate(p, this.#gateProc(), gate.fifo);
  }

  /** By name where /proc is the container's own fresh one: then nothing of it stays open while the stage waits. */
  #gateProc(): Slot | undefined {
    if (!this.#choice.fresh.has('mount')) return HOST_PROC;
    return this.#ownProc() === undefined ? slot('proc') : undefined;
  }

  #ownProc(): MountJob | undefined {
    return this.#jobs.find(({ type, destination }) => type === 'proc' && destination === '/proc');
  }

  /** Whoever looks at the waiting process finds no descriptor of a directory (CVE-2016-9962). */
  #closeMounts(): void {
    const p = this.#stage;
    for (const { tree } of this.#jobs) close(p, tree);
    if (this.#choice.fresh.has('mount')) close(p, ROOT);
  }
}

const deviceTree = (path: string): Slot => slot(`tree:${path}`);

function setName(p: Program, call: 'sethostname' | 'setdomainname', name: string): void {
  const what = call === 'sethostname' ? 'hostname' : 'domain name';
  p.call(`set the ${what} ${JSON.stringify(name)}`, call, [cString(name), Buffer.byteLength(name)]);
}
