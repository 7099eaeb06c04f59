// The plan of a creation as one list: what `create` performs and the stage executes, in order, with numbers that
// branches, traces and people refer to.
import type { CreatePrograms } from '../namespaces/create.ts';
import { REPORTS } from '../namespaces/enter.ts';
import { callArguments, stepText } from '../sys/plan/print.ts';
import { type CallStep, NEXT, type Program, type Step } from '../sys/plan/program.ts';
import { type CreationFacts, compileCreation } from './creation-facts.ts';
import { type HostStep, hostSteps } from './host-steps.ts';

/** The JSON form's; a reader of version 1 may rely on what is there, not on what is not. */
const PLAN_VERSION = 1;

/** A system call and what its result decides. */
export interface PlannedCall {
  readonly name: string;
  /** By the names of the manual page. */
  readonly arguments: Readonly<Record<string, string>>;
  /** errno, or `any` → the number of the step to go on with. A refusal that is not here ends the plan. */
  readonly on?: Readonly<Record<string, number>>;
}

export interface PlanStep {
  /** From 1. */
  readonly number: number;
  readonly who: 'host' | 'stage';
  /** `start`: behind the gate, at which `create` has ended. */
  readonly phase: 'create' | 'start';
  /** `action`: of the host, by a function of its own; the others are steps of a program. */
  readonly kind: 'action' | Step['kind'];
  /** What is attempted, as an error would say it. */
  readonly label: string;
  readonly text: string;
  readonly call?: PlannedCall;
  /** The register that keeps the result. */
  readonly into?: string;
  /** The system calls of an action. */
  readonly calls?: readonly string[];
  /** Where a branch leads when it is taken. */
  readonly to?: number;
}

export interface Plan {
  readonly version: typeof PLAN_VERSION;
  readonly bundle: string;
  readonly steps: readonly PlanStep[];
}

/** Stands for a number that only the finished fifo has. */
const FIFO_NUMBER = 'N';

/** What `create` would do; nothing of it is done. */
export function planCreation(facts: CreationFacts): Plan {
  const fifo = facts.request.gate === 'fifo' ? FIFO_NUMBER : undefined;
  const programs = compileCreation(facts, { cgroupPath: facts.cgroup?.path, fifo });
  return {
    version: PLAN_VERSION,
    bundle: facts.bundle.path,
    steps: listSteps(hostSteps(facts), programs),
  };
}

interface ProgramEntry {
  readonly phase: PlanStep['phase'];
  readonly who: PlanStep['who'];
  readonly program: Program;
  readonly index: number;
}

type Entry = ProgramEntry | { readonly phase: PlanStep['phase']; readonly action: HostStep };

/** The steps of the host and of both programs, in the order in which they happen when no branch is taken. */
export function listSteps(host: readonly HostStep[], programs: CreatePrograms): PlanStep[] {
  const entries = arrange(host, programs);
  const numbers = numberSteps(entries);
  return entries.map((entry, position) => {
    const number = position + 1;
    return 'action' in entry
      ? actionStep(entry.action, entry.phase, number)
      : programStep(entry, number, numbers);
  });
}

function arrange(host: readonly HostStep[], programs: CreatePrograms): Entry[] {
  const entries: Entry[] = [];
  for (const action of host) {
    if (action.answers !== undefined) continue;
    if (action.does === 'openOnHost') entries.push(...entriesOf(programs.host, 'host'));
    else entries.push({ phase: 'create', action });
  }
  let phase: PlanStep['phase'] = 'create';
  for (const entry of entriesOf(programs.stage, 'stage')) {
    entries.push({ ...entry, phase });
    if (phase === 'start') continue;
    const label = programs.stage.steps[entry.index]?.label;
    for (const action of host) if (action.answers === label) entries.push({ phase, action });
    if (label === REPORTS.created) phase = 'start';
  }
  return entries;
}

const entriesOf = (program: Program, who: PlanStep['who']): ProgramEntry[] =>
  program.steps.map((_, index) => ({ phase: 'create', who, program, index }));

type Numbers = ReadonlyMap<Program, readonly number[]>;

/** program → the number in the list of each of its steps. */
function numberSteps(entries: readonly Entry[]): Numbers {
  const numbers = new Map<Program, number[]>();
  entries.forEach((entry, position) => {
    if ('action' in entry) return;
    const known = numbers.get(entry.program);
    if (known === undefined) numbers.set(entry.program, [position + 1]);
    else known.push(position + 1);
  });
  return numbers;
}

function actionStep({ label, calls }: HostStep, phase: PlanStep['phase'], number: number): PlanStep {
  return { number, who: 'host', phase, kind: 'action', label, text: calls.join('; '), calls };
}

function programStep(
  { who, phase, program, index }: ProgramEntry,
  number: number,
  numbers: Numbers,
): PlanStep {
  const step = program.steps[index];
  if (step === undefined) throw new RangeError(`no step ${index}`);
  const own = numbers.get(program) ?? [];
  // Behind the last step is the end of the program.
  const numbering = (at: number): number => own[at] ?? (own.at(-1) ?? number) + 1;
  const numberOf = (target: string): number => numbering(program.labels.get(target) ?? index);
  const into = 'into' in step ? step.into : undefined;
  return {
    number,
    who,
    phase,
    kind: step.kind,
    label: step.label,
    text: stepText(step, program.labels, numbering),
    ...(step.kind === 'call' ? { call: plannedCall(step, numbering(index + 1), numberOf) } : {}),
    ...(into === undefined ? {} : { into: into.name }),
    ...(step.kind === 'branch' ? { to: numberOf(step.to) } : {}),
  };
}

function plannedCall(step: CallStep, next: number, numberOf: (target: string) => number): PlannedCall {
  const on = step.policies.map(
    ([errno, target]) => [errno, target === NEXT ? next : numberOf(target)] as const,
  );
  return {
    name: step.call,
    arguments: Object.fromEntries(callArguments(step)),
    ...(on.length === 0 ? {} : { on: Object.fromEntries(on) }),
  };
}
