// From a process in its namespaces to the container's process at the door of its program; create and exec share it.

import type { Process, Rlimit } from '../spec/config/process.ts';
import { type Program, slot } from '../sys/plan/program.ts';
import {
  becomeUser,
  enterDirectory,
  setCapabilities,
  setNoNewPrivileges,
  setUmask,
  verifyDirectory,
} from './process.ts';
import { limitSelf } from './rlimits.ts';
import { setIoPriority, setScheduler } from './scheduling.ts';
import { givePipes } from './terminal.ts';

export interface PrepareOptions {
  readonly maySetGroups: boolean;
  /** What the process sets for itself. */
  readonly rlimits: readonly Rlimit[];
}

export function prepareProcess(
  p: Program,
  process: Process,
  { maySetGroups, rlimits }: PrepareOptions,
): void {
  const { cwd, user = { uid: 0, gid: 0 }, terminal } = process;
  if (process.scheduler !== undefined) setScheduler(p, process.scheduler);
  if (process.ioPriority !== undefined) setIoPriority(p, process.ioPriority);
  const later = enterBeforeUser(p, cwd);
  if (terminal !== true) givePipes(p, user);
  limitSelf(p, rlimits);
  becomeUser(p, { process, maySetGroups });
  const verified = p.fresh('verified');
  p.branch('in the working directory already?', later, 'equal', 0, verified);
  enterDirectory(p, cwd);
  p.mark(verified);
  verifyDirectory(p);
  setCapabilities(p, process.capabilities);
  setUmask(p, user);
  if (process.noNewPrivileges === true) setNoNewPrivileges(p);
}

/** As root if root may; on a network file system it is perhaps the user who may, so a refusal is not the end. */
function enterBeforeUser(p: Program, cwd: string) {
  const later = slot('cwd.later');
  const [refused, entered] = [p.fresh('as-user'), p.fresh('entered')];
  p.set('not refused yet', later, 0);
  enterDirectory(p, cwd, refused);
  p.goTo(entered);
  p.mark(refused);
  p.set('the user may be let in', later, 1);
  p.mark(entered);
  return later;
}
