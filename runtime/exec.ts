// `exec`: another process in a container that runs.
import { readlinkSync } from 'node:fs';
import { CGROUP, CONTROL, REPORTS } from '../namespaces/enter.ts';
import { compileExec, INIT } from '../namespaces/exec.ts';
import { NAMESPACE_KINDS } from '../namespaces/kinds.ts';
import { NAMESPACE_TYPES, type NamespaceType } from '../spec/config/linux.ts';
import type { Process } from '../spec/config/process.ts';
import type { Config } from '../spec/config.ts';
import type { Fd } from '../sys/fd.ts';
import { StageSession } from '../sys/stage/session.ts';
import { cgroupOf, loadContainer } from './container.ts';
import { withEnvironment } from './environment.ts';
import { RuntimeError } from './errors.ts';
import { openProcess } from './process-identity.ts';
import { withOpenFiles } from './rlimits.ts';
import { awaitExec, nextReport } from './stage-reports.ts';
import type { StateStore } from './state-store.ts';

export interface ExecOptions {
  readonly preserveFds: number;
  readonly listenFds: number;
  readonly stdio?: readonly [number, number, number];
  readonly rootless: boolean;
  readonly openFilesLimit: number | undefined;
  readonly ignorePaused: boolean;
  onTerminal(terminal: Fd): void | Promise<void>;
  /** Its pid on the host, before the program runs. */
  beforeStart(pid: number): Promise<void>;
}

/** Runs `process` in the container. @returns its pid; it is a child of ours */
export async function execInContainer(
  store: StateStore,
  id: string,
  config: Config,
  process: Process,
  options: ExecOptions,
): Promise<number> {
  const container = loadContainer(store, id);
  const { saved, status } = container;
  if (status === 'stopped') throw new RuntimeError('STOPPED', 'cannot exec in a stopped container');
  if (status === 'paused' && !options.ignorePaused) {
    throw new RuntimeError('PAUSED', 'cannot exec in a paused container (use --ignore-paused to override)');
  }
  using init = saved.process === undefined ? undefined : openProcess(saved.process);
  if (init === undefined || saved.process === undefined) {
    throw new RuntimeError('STOPPED', 'cannot exec in a stopped container');
  }
  using cgroup = cgroupOf(saved);
  const program = compileExec(
    withEnvironment(process, `/proc/${saved.process.pid}/root`, options.listenFds),
    {
      namespaces: differingNamespaces(saved.process.pid),
      hasCgroup: cgroup !== undefined,
      maySetGroups: !options.rootless,
      preserveFds: options.preserveFds,
      rlimits: withOpenFiles(process.rlimits ?? [], options.openFilesLimit),
      personality: config.linux?.personality?.domain,
    },
  );
  const given = new Map([[INIT.name, init.number]]);
  if (cgroup !== undefined) given.set(CGROUP.name, cgroup.fd.number);
  using session = StageSession.launch(program, {
    given,
    controlSlot: CONTROL.name,
    preserveFds: options.preserveFds,
    fallbackDirectory: container.directory,
    ...(options.stdio === undefined ? {} : { stdio: options.stdio }),
  });
  return await converse(session, options);
}

/** The process may be heard of before its parent has told its pid. */
async function converse(session: StageSession, options: ExecOptions): Promise<number> {
  let pid = 0;
  let isCreated = false;
  while (pid === 0 || !isCreated) {
    const report = nextReport(session);
    if (report === undefined) throw new RuntimeError('START', 'the process ended before its program ran');
    if (report.fd !== undefined) await options.onTerminal(report.fd);
    if (report.label === REPORTS.created) isCreated = true;
    if (report.label !== REPORTS.pid) continue;
    session.reap();
    pid = report.value;
  }
  await options.beforeStart(pid);
  session.answer();
  awaitExec(session);
  return pid;
}

/** A namespace that is the runtime's own need not be joined, and a user namespace cannot be. */
function differingNamespaces(pid: number): NamespaceType[] {
  return NAMESPACE_TYPES.filter((type) => {
    const { file } = NAMESPACE_KINDS[type];
    return readlinkSync(`/proc/self/ns/${file}`) !== readlinkSync(`/proc/${pid}/ns/${file}`);
  });
}
