// A plan that ended at one of its steps.
import { errnoName, errnoText } from '../errno.ts';
import type { Program } from './program.ts';

/**
 * The step that was refused: `mount "proc" at "/proc": permission denied`.
 * `step` is the step's number in the plan as `hull plan` prints it.
 */
export class PlanError extends Error {
  readonly step: number;
  readonly label: string;
  readonly errno: number;
  readonly code: string;

  constructor(program: Program, step: number, errno: number) {
    const failed = program.steps[step];
    const label = failed?.label ?? `step ${step}, past the end of the plan`;
    const failure = failed?.kind === 'call' || failed?.kind === 'fail' ? failed.failure : undefined;
    super(failure ?? `${label}: ${errnoText(errno)}`);
    this.name = 'PlanError';
    this.step = step;
    this.label = label;
    this.errno = errno;
    this.code = errnoName(errno);
  }
}
