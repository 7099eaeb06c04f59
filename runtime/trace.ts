// How long each step of a creation took, for `--trace`: a JSON line for each, host and stage on one clock.
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import type { CreatePrograms } from '../namespaces/create.ts';
import { MFD_CLOEXEC } from '../sys/abi/constants.ts';
import { errnoName } from '../sys/errno.ts';
import { Fd } from '../sys/fd.ts';
import { ERRNO_MAX } from '../sys/stage/layout.ts';
import { readTrace } from '../sys/stage/trace.ts';
import { syscall } from '../sys/syscall.ts';
import { RuntimeError } from './errors.ts';
import type { HostStep } from './host-steps.ts';
import { listSteps, type PlanStep } from './plan.ts';

/** A line of the file. */
export interface TracedStep {
  /** Its number in the plan; absent for what is in no plan, such as waiting. */
  readonly step?: number;
  readonly who: 'host' | 'stage';
  readonly label: string;
  /** What the system call returned, or the name of its error. */
  readonly result?: number | string;
  /** When it was done, since the first step began. */
  readonly at: number;
  /** How long it took. Of the stage's: since the one before was done, for the first of them 0. */
  readonly microseconds: number;
}

interface Timed {
  readonly who: 'host' | 'stage';
  readonly label: string;
  readonly step: number | undefined;
  readonly result?: number | string;
  readonly begin: bigint;
  readonly end: bigint;
}

export class CreationTrace implements Disposable {
  readonly #file: Fd;
  /** Where the stage writes: memory, which no reader can keep waiting, and which is there even after the stage. */
  readonly #memory: Fd;
  readonly #host: { readonly label: string; readonly begin: bigint; readonly end: bigint }[] = [];
  #planned: { readonly host: readonly HostStep[]; readonly programs: CreatePrograms } | undefined;
  #isWritten = false;

  private constructor(file: Fd, memory: Fd) {
    this.#file = file;
    this.#memory = memory;
  }

  /** Before anything is made, so that a wrong path costs nothing. @throws {RuntimeError} */
  static open(path: string): CreationTrace {
    try {
      const file = new Fd(openSync(path, 'w', 0o644));
      return new CreationTrace(file, new Fd(syscall('memfd_create', 'hull-trace', MFD_CLOEXEC)));
    } catch (cause) {
      throw new RuntimeError('TRACE', `cannot write the trace ${JSON.stringify(path)}`, { cause });
    }
  }

  /** For the stage. */
  get fd(): number {
    return this.#memory.number;
  }

  /** What is being traced. */
  plan(host: readonly HostStep[], programs: CreatePrograms): void {
    this.#planned = { host, programs };
  }

  /** A step of the host, by `process.hrtime`. */
  add(label: string, begin: bigint, end: bigint): void {
    this.#host.push({ label, begin, end });
  }

  /** Writes what there is so far, and is done. */
  [Symbol.dispose](): void {
    if (this.#isWritten) return;
    this.#isWritten = true;
    const steps = this.#planned === undefined ? [] : listSteps(this.#planned.host, this.#planned.programs);
    const all = [...this.#hostSteps(steps), ...this.#stageSteps(steps)].sort((a, b) => Number(a.end - b.end));
    const start = all[0]?.begin ?? 0n;
    writeFileSync(this.#file.number, all.map((step) => `${JSON.stringify(lineOf(step, start))}\n`).join(''));
    this.#file[Symbol.dispose]();
    this.#memory[Symbol.dispose]();
  }

  /** Numbered by label, each after the one before: several steps may have one label. */
  #hostSteps(steps: readonly PlanStep[]): Timed[] {
    let last = 0;
    return this.#host.map((timed) => {
      const found = steps.find(
        ({ who, label, number }) => who === 'host' && label === timed.label && number > last,
      );
      last = found?.number ?? last;
      return { ...timed, who: 'host', step: found?.number };
    });
  }

  #stageSteps(planned: readonly PlanStep[]): Timed[] {
    const steps = planned.filter(({ who }) => who === 'stage');
    const records = readTrace(readFileSync(`/proc/self/fd/${this.#memory.number}`));
    return records.map(({ step, result, nanoseconds }, index) => ({
      who: 'stage',
      label: steps[step]?.label ?? '',
      step: steps[step]?.number,
      result: result < 0n && result >= -ERRNO_MAX ? errnoName(Number(-result)) : Number(result),
      begin: records[index - 1]?.nanoseconds ?? nanoseconds,
      end: nanoseconds,
    }));
  }
}

const microseconds = (nanoseconds: bigint): number => Number(nanoseconds) / 1000;

function lineOf({ who, label, step, result, begin, end }: Timed, start: bigint): TracedStep {
  return {
    ...(step === undefined ? {} : { step }),
    who,
    label,
    ...(result === undefined ? {} : { result }),
    at: microseconds(end - start),
    microseconds: microseconds(end - begin),
  };
}
