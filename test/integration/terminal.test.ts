import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Child, until } from '../support/child.ts';
import { terminal } from '../support/compile.ts';
import type { Config } from '../support/config.ts';
import { listenForConsole, reportThrough } from '../support/console.ts';
import { TestHost } from '../support/host.ts';
import { startSleeping } from '../support/running.ts';

const DEVPTS_SUPER_MAGIC = '1cd1'; // <linux/magic.h>

function useTerminal(config: Config): void {
  config.process.terminal = true;
  config.process.consoleSize = { height: 30, width: 90 };
}

/** Runs the runtime itself on a pseudo-terminal, as a shell does. */
function runOnTerminal(host: TestHost, command: string, operands: string[], flags: string[] = []): Child {
  const argv = [terminal(), 'run', '40', '120', '--', ...host.runtime.argv(command, operands, { flags })];
  return host.spawn(argv, `terminal-${command}`, 'open');
}

describe('a terminal through --console-socket', () => {
  it('is a pseudo-terminal of the container, sent once with its name', async () => {
    await using host = await TestHost.open();
    const { receiver, flags } = await listenForConsole(host);
    const bundle = host.bundle(useTerminal);
    expect((await host.runtime.create(host.id(), bundle, { flags })).status).toBe(0);
    const line = await until('the console', () => /^received .*$/m.exec(receiver.stderr())?.[0]);
    // One descriptor, a master (5:2). The name is for people: runc sends the master's, others the slave's.
    expect(line).toMatch(new RegExp(`^received /dev/(ptmx|pts/\\d+) 1 5:2 ${DEVPTS_SUPER_MAGIC}$`));
  });

  it('is the controlling terminal and /dev/console of the process, in the size that is asked for', async () => {
    await using host = await TestHost.open();
    const { receiver, flags } = await listenForConsole(host);
    const bundle = host.bundle(useTerminal);
    expect((await host.runtime.run(host.id(), bundle, { flags: ['--detach', ...flags] })).status).toBe(0);
    const report = await reportThrough(receiver);
    expect(report.terminal).toEqual({
      controlling: 'ok',
      foreground: 1,
      name: '/dev/pts/0',
      rows: 30,
      columns: 90,
      mapsNewlines: expect.any(Boolean),
    });
    expect(report.devices.console).toMatchObject({ type: 'character', device: '136:0' });
    expect(report).toMatchObject({ pid: 1, session: 1, processGroup: 1 });
    expect(report.descriptors.map(({ number, target }) => [number, target])).toEqual([
      [0, '/dev/pts/0'],
      [1, '/dev/pts/0'],
      [2, '/dev/pts/0'],
    ]);
  });

  it('belongs to the user of the process', async () => {
    await using host = await TestHost.open();
    const { receiver, flags } = await listenForConsole(host);
    const bundle = host.bundle((config) => {
      useTerminal(config);
      config.process.user = { uid: 1000, gid: 1000 };
      config.process.args = ['/bin/probe', 'stat', '/dev/pts/0'];
    });
    expect((await host.runtime.run(host.id(), bundle, { flags: ['--detach', ...flags] })).status).toBe(0);
    const line = await until('the owner', () => /\/dev\/pts\/0 .*/.exec(receiver.stdout())?.[0]);
    expect(line.trim()).toBe('/dev/pts/0 20620 1000:5');
  });

  it('carries what is typed and what is printed', async () => {
    await using host = await TestHost.open();
    const { receiver, flags } = await listenForConsole(host);
    const bundle = host.bundle((config) => {
      useTerminal(config);
      config.process.args = ['/bin/sh', '-c', 'read line; echo "got $line"; exit 0'];
    });
    expect((await host.runtime.run(host.id(), bundle, { flags: ['--detach', ...flags] })).status).toBe(0);
    receiver.write('some text\n');
    await until('the answer', () => receiver.stdout().includes('got some text'));
  });

  it('serves a process of exec', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const { receiver, flags } = await listenForConsole(host);
    const outcome = await host.runtime.exec(id, ['/bin/probe'], { flags: ['--tty', '--detach', ...flags] });
    expect(outcome.status).toBe(0);
    expect((await reportThrough(receiver)).terminal).toMatchObject({ controlling: 'ok' });
  });

  it('fails when nobody listens, with nothing left', async () => {
    await using host = await TestHost.open();
    const flags = ['--console-socket', host.path('nobody.sock')];
    expect((await host.runtime.create(host.id(), host.bundle(useTerminal), { flags })).status).toBe(1);
    expect(await host.differences()).toEqual([]);
  });

  // biome-ignore format: a table
  const MISUSE: readonly [what: string, terminal: boolean, command: string, flags: string[], text: string][] = [
    ['a terminal is detached without a socket',    true,  'create', [],           'cannot allocate tty if NAME will detach without setting console socket'],
    ['a socket is given to run in the foreground', true,  'run',    ['--console-socket', '/x'], 'cannot use console socket if NAME will not detach or allocate tty'],
    ['a socket is given without a terminal',       false, 'create', ['--console-socket', '/x'], 'cannot use console socket if NAME will not detach or allocate tty'],
  ];
  for (const [what, isTerminal, command, flags, text] of MISUSE) {
    it(`is refused when ${what}`, async () => {
      await using host = await TestHost.open();
      const bundle = host.bundle((config) => {
        config.process.terminal = isTerminal;
      });
      const outcome = await host.runtime.call(command, [host.id()], {
        flags: ['-b', bundle.directory, ...flags],
      });
      expect(outcome.status).toBe(1);
      expect(outcome.stderr).toContain(text.replace('NAME', host.runtime.name));
    });
  }
});

describe('a terminal in the foreground', () => {
  it("has the size of the caller's", async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.process.terminal = true;
      config.process.args = ['/bin/probe', 'window', '40', '120'];
    });
    const child = runOnTerminal(host, 'run', [host.id()], ['-b', bundle.directory]);
    expect((await child.finished).status).toBe(0);
  });

  it("follows the size of the caller's", async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.process.terminal = true;
      config.process.args = ['/bin/probe', 'window', '50', '130'];
    });
    const child = runOnTerminal(host, 'run', [host.id()], ['-b', bundle.directory]);
    await until('the process', () => child.stdout().includes('ready'));
    child.signal('SIGUSR1');
    expect((await child.finished).status).toBe(0);
  });

  it('passes an interrupt typed there to the process', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.process.terminal = true;
      config.process.args = [
        '/bin/sh',
        '-c',
        'trap "echo interrupted; exit 5" INT; echo ready; while :; do sleep 0.05; done',
      ];
    });
    const child = runOnTerminal(host, 'run', [host.id()], ['-b', bundle.directory]);
    await until('the process', () => child.stdout().includes('ready'));
    child.write('\x03');
    expect((await child.finished).status).toBe(5);
    expect(child.stdout()).toContain('interrupted');
  });

  // biome-ignore format: a table
  const ENDS: readonly [when: string, args: string[], status: number, before: string[]][] = [
    ['the program has ended',       ['/bin/true'],                 0,   []],
    ['the program has failed',      ['/bin/probe', 'exit', '7'],   7,   []],
    ['there is no such program',    ['/not/there'],                1,   []],
    ['a signal was passed on',      ['/bin/probe', 'signal-wait', '1'], 0, ['timeout', '--foreground', '--preserve-status', '-s', 'TERM', '1']],
  ];
  for (const [when, args, status, before] of ENDS) {
    it(`leaves the caller's in the mode in which it was when ${when}`, async () => {
      await using host = await TestHost.open();
      const bundle = host.bundle((config) => {
        config.process.terminal = true;
        config.process.args = args;
      });
      const run = host.runtime.argv('run', [host.id()], { flags: ['-b', bundle.directory] });
      const script = 'stty -a > "$0.before"; "$@"; status=$?; stty -a > "$0.after"; exit $status';
      const caller = ['sh', '-c', script, host.path('stty'), ...before];
      const argv = [terminal(), 'run', '40', '120', '--', ...caller, ...run];
      expect((await host.spawn(argv, 'modes', 'open').finished).status).toBe(status);
      const after = readFileSync(host.path('stty.after'), 'utf8');
      expect(after).toBe(readFileSync(host.path('stty.before'), 'utf8'));
      expect(after.length).toBeGreaterThan(100);
    });
  }

  it('serves exec --tty', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const child = runOnTerminal(host, 'exec', [id, '/bin/probe'], ['--tty']);
    expect((await reportThrough(child)).terminal).toMatchObject({ controlling: 'ok', name: '/dev/pts/0' });
    expect((await child.finished).status).toBe(0);
    const sized = runOnTerminal(host, 'exec', [id, '/bin/probe', 'window', '40', '120'], ['--tty']);
    expect((await sized.finished).status).toBe(0);
  });

  it('is not there for a process without one', async () => {
    await using host = await TestHost.open();
    const child = runOnTerminal(host, 'run', [host.id()], ['-b', host.bundle().directory]);
    expect((await reportThrough(child)).terminal).toMatchObject({ controlling: 'ENXIO', name: '' });
    expect((await child.finished).status).toBe(0);
  });
});
