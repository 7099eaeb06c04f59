import { describe, expect, it } from 'vitest';
import { type Child, until } from '../support/child.ts';
import { TestHost } from '../support/host.ts';
import { listening, startSleeping } from '../support/running.ts';

/** A foreground container whose process prints the names of `count` signals. */
async function runListening(host: TestHost, count: number): Promise<Child> {
  const bundle = host.bundle((config) => {
    config.process.args = listening(host, count);
  });
  const child = host.runtime.startRun(host.id(), bundle);
  await until('the process to listen', () => child.stdout() === 'ready\n');
  return child;
}

describe('signals of the foreground runtime', () => {
  const FORWARDED: readonly NodeJS.Signals[] = [
    'SIGHUP',
    'SIGINT',
    'SIGQUIT',
    'SIGUSR1',
    'SIGUSR2',
    'SIGTERM',
    'SIGCONT',
  ];

  it('are forwarded to the process', async () => {
    await using host = await TestHost.open();
    const child = await runListening(host, FORWARDED.length);
    let said = 'ready\n';
    for (const signal of FORWARDED) {
      child.signal(signal);
      said += `${signal}\n`;
      await until(`the process to get ${signal}`, () => child.stdout() === said);
    }
    expect((await child.finished).status).toBe(0);
  });

  it('are forwarded to a process of exec', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const child = host.runtime.spawn('exec', [id, ...listening(host, 1)]);
    await until('the process to listen', () => child.stdout() === 'ready\n');
    child.signal('SIGTERM');
    expect(await child.finished).toMatchObject({ status: 0, stdout: 'ready\nSIGTERM\n' });
  });

  it('that say that a window or a child has changed are not', async () => {
    await using host = await TestHost.open();
    const child = await runListening(host, 1);
    for (const signal of ['SIGWINCH', 'SIGCHLD', 'SIGURG'] as const) child.signal(signal);
    child.signal('SIGUSR1');
    expect((await child.finished).stdout).toBe('ready\nSIGUSR1\n');
  });

  it('decide the exit status through the process, not by killing the runtime', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/sh', '-c', 'trap "exit 42" TERM; echo up; while :; do sleep 0.05; done'];
    });
    const child = host.runtime.startRun(host.id(), bundle);
    await until('the process', () => child.stdout() === 'up\n');
    child.signal('SIGTERM');
    expect((await child.finished).status).toBe(42);
  });
});
