/** Hostile tests: each has a twin without the hostile part, which must work, or the refusal proves nothing. */

import { expect, it } from 'vitest';
import type { Bundle, ConfigChange } from './bundle.ts';
import type { Outcome } from './child.ts';
import { TestHost } from './host.ts';
import { type CallOptions, errorText, findRuntime, isKnownBad, selectedRuntime } from './runtime.ts';

export interface Attack {
  /** Released runtimes against which it is known to work, which shows that the test can fail. */
  readonly knownBad?: readonly string[];
  /** The same without the hostile element. Without one, the base bundle must run. */
  readonly control?: (host: TestHost) => Promise<void>;
  /** Throws if the runtime does not resist. */
  readonly attack: (host: TestHost) => Promise<void>;
}

/** A test that the runtime resists; on a host of its own, which must be as it was afterwards. */
export function itResists(title: string, { knownBad = [], control = baseRuns, attack }: Attack): void {
  it(title, async () => {
    await withHost(control);
    if (isKnownBad(findRuntime(selectedRuntime()), knownBad)) await expectToSucceed(attack);
    else await withHost(attack);
  });
}

async function withHost(body: (host: TestHost) => Promise<void>): Promise<void> {
  await using host = await TestHost.open();
  await body(host);
}

/** The attack itself, or the look at the host after it, has to find something. */
async function expectToSucceed(attack: (host: TestHost) => Promise<void>): Promise<void> {
  await using host = await TestHost.open();
  host.expectDirty();
  const findings: string[] = [];
  await attack(host).catch((error: unknown) => findings.push(String(error)));
  if (findings.length === 0) findings.push(...(await host.differences()));
  expect(findings, 'the attack on a runtime that is known to be open to it').not.toEqual([]);
}

const TOKEN = 'it-runs';

/** The configuration in which a hostile element is put: the base one, printing a token. */
export const printToken: ConfigChange = (config) => {
  config.process.args = ['/bin/echo', TOKEN];
};

export async function expectRuns(
  host: TestHost,
  bundle: Bundle,
  options: CallOptions = {},
): Promise<Outcome> {
  const outcome = await host.runtime.run(host.id(), bundle, options);
  expect(outcome, 'the control has to run').toMatchObject({ status: 0, stdout: `${TOKEN}\n` });
  return outcome;
}

async function baseRuns(host: TestHost): Promise<void> {
  await expectRuns(host, host.bundle(printToken));
}

/** Runs a changed base bundle as the twin of an attack. */
export function controlWith(change: ConfigChange): (host: TestHost) => Promise<void> {
  return async (host) => {
    await expectRuns(
      host,
      host.bundle((config) => {
        printToken(config);
        change(config);
      }),
    );
  };
}

/** The runtime must say no, for this reason, and leave nothing. */
export async function expectRefused(
  host: TestHost,
  bundle: Bundle,
  reason: RegExp,
  options: CallOptions = {},
): Promise<void> {
  const outcome = await host.runtime.run(host.id(), bundle, options);
  expect(outcome.stdout, 'the process must not have run').not.toContain(TOKEN);
  expect(outcome.status).toBe(1);
  expect(errorText(outcome)).toMatch(reason);
  expect(await host.differences()).toEqual([]);
}

/** Shorthand: the base bundle with one change is refused. */
export function refuses(change: ConfigChange, reason: RegExp): (host: TestHost) => Promise<void> {
  return async (host) => {
    const bundle = host.bundle((config) => {
      printToken(config);
      change(config);
    });
    await expectRefused(host, bundle, reason);
  };
}
