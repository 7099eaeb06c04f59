import { describe, expect, it } from 'vitest';
import type { ConfigChange } from '../support/bundle.ts';
import { type Child, until } from '../support/child.ts';
import { shareNamespace } from '../support/config.ts';
import { TestHost } from '../support/host.ts';
import { createSleeping, listening, startSleeping, untilStatus } from '../support/running.ts';

/** A container whose process says which signals it gets, and ends after `count`. */
async function startListening(
  host: TestHost,
  count = 1,
  change: ConfigChange = () => {},
): Promise<[id: string, Child]> {
  const id = host.id();
  const bundle = host.bundle((config) => {
    config.process.args = listening(host, count);
    change(config);
  });
  const child = host.runtime.startRun(id, bundle);
  await until('the process to listen', () => child.stdout() === 'ready\n');
  return [id, child];
}

describe('kill', () => {
  // biome-ignore format: a table
  const SPELLINGS: readonly [argument: string, name: string][] = [
    ['TERM', 'SIGTERM'], ['SIGTERM', 'SIGTERM'], ['sigterm', 'SIGTERM'], ['term', 'SIGTERM'], ['15', 'SIGTERM'],
    ['HUP', 'SIGHUP'],   ['1', 'SIGHUP'],        ['USR1', 'SIGUSR1'],    ['WINCH', 'SIGWINCH'], ['34', '34'],
    ['63', '63'],        ['64', '64'],                ['CHLD', 'SIGCHLD'],
  ];

  it('knows a signal by number and name, in any case', async () => {
    await using host = await TestHost.open();
    const [id, child] = await startListening(host, SPELLINGS.length);
    const expected = ['ready'];
    for (const [argument, name] of SPELLINGS) {
      expect(await host.runtime.kill(id, argument), argument).toMatchObject({
        status: 0,
        stdout: '',
        stderr: '',
      });
      expected.push(name);
      await until(`the process to get ${argument}`, () => child.stdout() === `${expected.join('\n')}\n`);
    }
    expect((await child.finished).status).toBe(0);
  });

  it('sends SIGTERM if no signal is named', async () => {
    await using host = await TestHost.open();
    const [id, child] = await startListening(host);
    expect((await host.runtime.call('kill', [id])).status).toBe(0);
    expect((await child.finished).stdout).toBe('ready\nSIGTERM\n');
  });

  for (const signal of ['NOSIG', 'SIG', '0x9', '-9', '9 ', '1e1', '65', '99999999999']) {
    it(`refuses ${JSON.stringify(signal)} as a signal and sends nothing`, async () => {
      await using host = await TestHost.open();
      const id = await startSleeping(host);
      const outcome = await host.runtime.call('kill', ['--', id, signal]);
      expect(outcome.status).toBe(1);
      expect(outcome.stderr).toMatch(/unknown signal|invalid argument/);
      expect((await host.runtime.state(id)).status).toBe('running');
    });
  }

  it('reaches a container that is only created', async () => {
    await using host = await TestHost.open();
    const id = await createSleeping(host);
    expect((await host.runtime.kill(id, 'KILL')).status).toBe(0);
    await untilStatus(host, id, 'stopped');
  });

  it('refuses a container that has stopped', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    await host.runtime.kill(id, 'KILL');
    await untilStatus(host, id, 'stopped');
    const outcome = await host.runtime.kill(id, 'TERM');
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('container not running');
  });

  it('accepts a container that has stopped, with --all', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    await host.runtime.kill(id, 'KILL');
    await untilStatus(host, id, 'stopped');
    expect((await host.runtime.kill(id, 'KILL', { flags: ['--all'] })).status).toBe(0);
  });

  it('signals only the first process, which others survive', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host, (config) => {
      config.process.args = ['/bin/probe', 'orphan'];
    });
    await host.runtime.kill(id, 'USR1');
    expect((await host.runtime.state(id)).status).toBe('running');
  });

  it('takes all processes with the first one, by the pid namespace', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host, (config) => {
      config.process.args = ['/bin/probe', 'orphan'];
    });
    expect((await host.runtime.kill(id, 'KILL')).status).toBe(0);
    await untilStatus(host, id, 'stopped');
    expect((await host.runtime.delete(id)).status).toBe(0);
  });

  it('takes all processes also where the pid namespace is shared', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host, (config) => {
      config.process.args = ['/bin/probe', 'orphan'];
      shareNamespace(config, 'pid');
    });
    expect((await host.runtime.kill(id, 'KILL', { flags: ['--all'] })).status).toBe(0);
    await untilStatus(host, id, 'stopped');
    expect((await host.runtime.delete(id)).status).toBe(0);
  });
});
