/** Arguments for the stepper (test/support/stepper), which stops a runtime at a system call of the test's choice. */

import { refuse, stepper } from './compile.ts';

/** The status with which the stepper says that the call never came: the test would prove nothing. */
export const NEVER_FIRED = 96;
export const CHANGE_FAILED = 97;

export interface Step {
  /** An extended regular expression for "NAME PATH[ PATH]". */
  readonly match: string;
  /** Which of the matching calls; the first is 1. */
  readonly number?: number;
}

/** To run under: exchanges two directory entries when the call is about to be made. */
export function exchangeAt(step: Step, one: string, other: string): string[] {
  return [stepper(), '-n', `${step.number ?? 1}`, '-m', step.match, '-x', one, other, '--'];
}

/** To run under: runs a shell command when the call is about to be made. */
export function commandAt(step: Step, command: string): string[] {
  return [stepper(), '-n', `${step.number ?? 1}`, '-m', step.match, '-c', command, '--'];
}

/** To run under: lists the calls on standard error, for {@link listedSteps}. */
export function listSteps(match = '.'): string[] {
  return [stepper(), '-l', '-m', match, '--'];
}

/** "mkdirat /a/b" for each call, in order. */
export function listedSteps(stderr: string): string[] {
  return [...stderr.matchAll(/^step \d+ (.*)$/gm)].map(([, call = '']) => call);
}

/** To run under: the kernel seems not to have these system calls. */
export function without(...systemCalls: string[]): string[] {
  return [refuse(), systemCalls.join(','), '--'];
}
