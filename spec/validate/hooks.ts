/** Rules for `hooks` (config.md "POSIX-platform Hooks" of the runtime-spec 1.3). */

import type { Hook, Hooks } from '../config/hooks.ts';
import { absolutePath, type Check, list, object, required, text } from '../schema.ts';
import { environmentVariable } from './text.ts';

/** In seconds; beyond 24 days a timer of 32 bits in milliseconds would fire at once. */
const HOOK_TIMEOUT_MAX = 2_147_483;

const timeout: Check<number> = (value, at, report) => {
  if (typeof value !== 'number' || !Number.isInteger(value)) report.add(at, 'must be an integer');
  else if (value <= 0) report.add(at, 'must be greater than zero');
  else if (value > HOOK_TIMEOUT_MAX) report.add(at, `must not be above ${HOOK_TIMEOUT_MAX} seconds`);
};

const hook = list(
  object<Hook>({
    path: required(absolutePath()),
    args: list(text()),
    env: list(environmentVariable),
    timeout,
  }),
);

export const hooks: Check<Hooks> = object<Hooks>({
  prestart: hook,
  createRuntime: hook,
  createContainer: hook,
  startContainer: hook,
  poststart: hook,
  poststop: hook,
});
