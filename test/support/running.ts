/** A container that runs until the test is done with it. */

import type { ConfigChange } from './bundle.ts';
import { until } from './child.ts';
import type { TestHost } from './host.ts';
import { isKnownBad } from './runtime.ts';

const sleeping: ConfigChange = (config) => {
  config.process.args = ['/bin/probe', 'sleep'];
};

/** Creates and starts a detached container that sleeps, and waits until its process has said so. Gives its id. */
export async function startSleeping(host: TestHost, change: ConfigChange = () => {}): Promise<string> {
  const id = host.id();
  const bundle = host.bundle((config) => {
    sleeping(config);
    change(config);
  });
  const child = host.runtime.startRun(id, bundle, { flags: ['--detach'] });
  const { status } = await child.finished;
  if (status !== 0) throw new Error(`cannot start the container "${id}": ${child.stderr()}`);
  await until('the process to say that it runs', () => child.stdout() !== '');
  return id;
}

/** Creates a container whose process, once started, sleeps. */
export async function createSleeping(host: TestHost, change: ConfigChange = () => {}): Promise<string> {
  const id = host.id();
  const bundle = host.bundle((config) => {
    sleeping(config);
    change(config);
  });
  const { status, stderr } = await host.runtime.create(id, bundle);
  if (status !== 0) throw new Error(`cannot create the container "${id}": ${stderr}`);
  return id;
}

export async function untilStatus(host: TestHost, id: string, status: string): Promise<void> {
  await until(`"${id}" to be ${status}`, async () => (await host.runtime.state(id)).status === status);
}

/**
 * A process that prints the name of each of `count` signals. Not of SIGURG where runc 1.1.5 is the runtime: Go
 * programs send that to themselves all the time, and 1.1.5 forwards it.
 */
export function listening(host: TestHost, count: number): string[] {
  const deafTo = isKnownBad(host.runtime.program, ['runc 1.1.5']) ? ['SIGURG'] : [];
  return ['/bin/probe', 'signal-wait', `${count}`, ...deafTo];
}
