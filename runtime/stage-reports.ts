// What a stage says, with its failures in the words that a user gets.
import { STATUS_PLACEHOLDER } from '../namespaces/hook-protocol.ts';
import { PlanError } from '../sys/plan/plan-error.ts';
import type { StageReport, StageSession } from '../sys/stage/session.ts';
import { RuntimeError } from './errors.ts';
import { statusText } from './hooks.ts';

/** @throws {Error} the failed step's; a hook's with the exit status that it reported just before */
export function nextReport(session: StageSession): StageReport | undefined {
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
function withHookStatus(error: unknown, status: number): unknown {
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
