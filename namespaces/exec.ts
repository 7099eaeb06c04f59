// A second process in a container: the programs that `exec` runs.

import type { NamespaceType } from '../spec/config/linux.ts';
import type { Process, Rlimit } from '../spec/config/process.ts';
import { AT_FDCWD, O_CLOEXEC, O_PATH } from '../sys/abi/constants.ts';
import { O_DIRECTORY } from '../sys/abi/fcntl.ts';
import { cString, flags, Program, slot } from '../sys/plan/program.ts';
import {
  awaitHost,
  becomeUndumpable,
  CGROUP,
  cloneInto,
  REPORTS,
  startKeyring,
  writeOwnProcFile,
} from './enter.ts';
import { namespaceFlags } from './kinds.ts';
import { close } from './paths.ts';
import { prepareProcess } from './prepare.ts';
import { execute, findProgram, makeWorkingDirectory, personalityNumber } from './process.ts';
import { limitSelf } from './rlimits.ts';
import { useEveryProcessor } from './scheduling.ts';
import { makeTerminal } from './terminal.ts';

/** A pidfd of the container's first process. */
export const INIT = slot('init');

export interface ExecFacts {
  /** Those in which the container's first process is not with the runtime. */
  readonly namespaces: readonly NamespaceType[];
  readonly hasCgroup: boolean;
  readonly maySetGroups: boolean;
  readonly preserveFds: number;
  readonly rlimits: readonly Rlimit[];
  readonly personality: 'LINUX' | 'LINUX32' | undefined;
}

export function compileExec(process: Process, facts: ExecFacts): Program {
  const p = new Program();
  becomeUndumpable(p);
  p.call('leave no mode bit out', 'umask', [0]);
  useEveryProcessor(p);
  const joinsUser = facts.namespaces.includes('user');
  if (joinsUser) limitSelf(p, facts.rlimits); // nobody in there may raise one
  if (process.oomScoreAdj !== undefined) writeOwnProcFile(p, 'oom_score_adj', String(process.oomScoreAdj));
  if (facts.namespaces.length > 0) {
    const { value, text } = namespaceFlags(facts.namespaces);
    // All at once and by descriptor of the process: no path of the container is looked at (rule D13).
    p.call("join the container's namespaces", 'setns', [INIT, flags(value, text)]);
  }
  cloneInto(p, [], facts.hasCgroup, REPORTS.pid);
  close(p, INIT);
  if (facts.hasCgroup) close(p, CGROUP);
  p.call('start a session', 'setsid', []);
  startKeyring(p);
  const root = slot('root');
  p.call("open the container's root", 'openat', [AT_FDCWD, cString('/'), O_PATH | O_DIRECTORY | O_CLOEXEC], {
    into: root,
  });
  if (process.terminal === true) {
    makeTerminal(p, root, { size: process.consoleSize, user: process.user, asConsole: false });
  }
  if (facts.personality !== undefined) {
    p.call(`take the personality ${facts.personality}`, 'personality', [
      personalityNumber(facts.personality),
    ]);
  }
  const program = slot('program');
  makeWorkingDirectory(p, root, process.cwd);
  close(p, root);
  prepareProcess(p, process, { maySetGroups: facts.maySetGroups, rlimits: joinsUser ? [] : facts.rlimits });
  findProgram(p, process, program);
  p.report(REPORTS.created, 0);
  awaitHost(p, 'recorded the process');
  const { args, env = [] } = process;
  execute(p, { program, args, env, preserved: facts.preserveFds });
  return p;
}
