// The executor in this process and the stage give one meaning to a program, on every machine.
import { fstatSync, readSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { executeProgram } from '../../../sys/plan/execute.ts';
import { PlanError } from '../../../sys/plan/plan-error.ts';
import { printProgram } from '../../../sys/plan/print.ts';
import type { Program } from '../../../sys/plan/program.ts';
import { trySyscall } from '../../../sys/syscall.ts';
import { DUPLICATES, FILE_SLOTS, OUTPUT_SLOT, randomProgram } from '../../support/random-program.ts';
import {
  contents,
  FILE_ON_ARM64,
  MEMFD,
  memoryFile,
  runStage,
  type StageWay,
} from '../../support/run-stage.ts';

interface Failure {
  readonly step: number;
  readonly errno: number;
}

/** All that can be observed of a run. */
interface Outcome {
  readonly failure: Failure | undefined;
  readonly output: string;
  readonly files: readonly { readonly size: number; readonly position: number; readonly head: string }[];
}

type Execute = (
  program: Program,
  given: ReadonlyMap<string, ReturnType<typeof memoryFile>>,
) => Failure | undefined;

function outcomeOf(program: Program, execute: Execute): Outcome {
  using output = memoryFile('output');
  using first = memoryFile('first');
  using second = memoryFile('second');
  const files = [first, second];
  const given = new Map([
    [OUTPUT_SLOT, output],
    ...FILE_SLOTS.map((name, i) => [name, files[i] ?? first] as const),
  ]);
  const failure = execute(program, given);
  return {
    failure,
    output: contents(output).toString('hex'),
    files: files.map(({ number }) => {
      const head = Buffer.alloc(1024); // a program may have made it as long as files can be
      readSync(number, head, 0, head.length, 0);
      const position = trySyscall('lseek', number, 0, 1);
      return { size: fstatSync(number).size, position, head: head.toString('hex') };
    }),
  };
}

const executeHere: Execute = (program, given) => {
  try {
    executeProgram(program, new Map([...given].map(([name, fd]) => [name, fd.number])));
    return undefined;
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    return { step: error.step, errno: error.errno };
  } finally {
    for (const fd of DUPLICATES) trySyscall('close', fd);
  }
};

const executeStaged =
  (way: StageWay): Execute =>
  (program, given) => {
    const { code, reports } = runStage(way, program, { given });
    const [last, ...others] = reports;
    expect({ code, others }).toEqual({ code: 1, others: [] });
    const failure = { step: last?.step ?? -1, errno: Number(last?.value) };
    // Coming to the end is the error 0 after the last step.
    return failure.errno === 0 && failure.step === program.steps.length ? undefined : failure;
  };

const text = (program: Program): string =>
  printProgram(program)
    .map((step, index) => `${index}: ${step.text}`)
    .join('\n');

describe('a random program', () => {
  for (const [way, numRuns] of [
    [MEMFD, 300],
    [FILE_ON_ARM64, 60],
  ] as const) {
    it(`does the same here and in a stage ${way.name}`, (context) => {
      context.skip(way.missing !== undefined, way.missing);
      let ended = 0;
      fc.assert(
        fc.property(randomProgram, (program) => {
          const here = outcomeOf(program, executeHere);
          expect(outcomeOf(program, executeStaged(way)), text(program)).toEqual(here);
          if (here.failure === undefined) ended += 1;
        }),
        { numRuns },
      );
      // Neither all nor none of them may end early, or one half of the comparison would be empty.
      expect(ended).toBeGreaterThan(numRuns / 10);
      expect(ended).toBeLessThan(numRuns);
    });
  }
});
