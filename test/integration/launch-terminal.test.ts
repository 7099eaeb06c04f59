import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Child, until } from '../support/child.ts';
import { terminal } from '../support/compile.ts';
import { TestHost } from '../support/host.ts';
import { LaunchStore, launchOnTerminal } from '../support/launch.ts';
import { type ProbeReport, parseReport } from '../support/probe-report.ts';

let store: LaunchStore;
beforeAll(() => {
  store = new LaunchStore();
});
afterAll(() => store[Symbol.dispose]());
afterEach(() => expect(store.containers()).toEqual([]));

const inShell = (script: string): string[] => ['/bin/sh', '-c', script];

/** The probe waits on a terminal until its report has been read. */
async function reportThrough(child: Child): Promise<ProbeReport> {
  const text = await until('the report', () => /^\{.*\}\s*$/s.exec(child.stdout())?.[0]);
  child.write('\n');
  return parseReport(text);
}

describe('launch --tty', () => {
  it("has a terminal of its own, in the size of the caller's", async () => {
    await using host = await TestHost.open('hull');
    const child = launchOnTerminal(host, store, ['-it', '--rm', '--name', host.id()], ['/bin/probe']);
    const report = await reportThrough(child);
    expect(report.terminal).toMatchObject({ controlling: 'ok', name: '/dev/pts/0', rows: 40, columns: 120 });
    expect(report.env).toContain('TERM=xterm');
    expect((await child.finished).status).toBe(0);
  });

  it('passes on what is typed, and an interrupt to the program', async () => {
    await using host = await TestHost.open('hull');
    const script =
      'trap "echo stopped; exit 5" INT; echo ready; read line; echo "got $line"; while :; do sleep 0.05; done';
    const child = launchOnTerminal(host, store, ['-it', '--rm', '--name', host.id()], inShell(script));
    await until('the program', () => child.stdout().includes('ready'));
    child.write('some text\n');
    await until('the answer', () => child.stdout().includes('got some text'));
    child.write('\x03');
    expect((await child.finished).status).toBe(5);
    expect(child.stdout()).toContain('stopped');
  });

  it('without --interactive takes nothing that is typed', async () => {
    await using host = await TestHost.open('hull');
    const script = 'echo ready; read -t 2 line; echo "read [$line]"; exit 4';
    const all = ['-t', '--rm', '--name', host.id()];
    const child = launchOnTerminal(host, store, all, inShell(script));
    await until('the program', () => child.stdout().includes('ready'));
    child.write('some text\n');
    await until("the echo of the caller's own terminal", () => child.stdout().includes('some text'));
    expect((await child.finished).status).toBe(4);
    expect(child.stdout()).toContain('read []');
  });

  it("leaves the caller's terminal in the mode in which it was", async () => {
    await using host = await TestHost.open('hull');
    const flags = ['--store', store.path, '-it', '--rm', '--name', host.id()];
    const own = host.runtime.argv('launch', ['tools', '/bin/probe', 'exit', '3'], { flags });
    const script = 'stty -a > "$0.before"; "$@"; status=$?; stty -a > "$0.after"; exit $status';
    const argv = [terminal(), 'run', '40', '120', '--', 'sh', '-c', script, host.path('stty'), ...own];
    expect((await host.spawn(argv, 'modes', 'open').finished).status).toBe(3);
    const before = readFileSync(host.path('stty.before'), 'utf8');
    expect(readFileSync(host.path('stty.after'), 'utf8')).toBe(before);
    expect(before).toContain('rows 40');
  });
});

describe('launch without --tty, by somebody at a terminal,', () => {
  for (const flags of [[], ['-i']]) {
    it(`gives the container no way to that terminal (${flags.join() || 'no options'})`, async () => {
      await using host = await TestHost.open('hull');
      const script = 'for n in 0 1 2; do test -t $n && echo "terminal at $n"; done; exec /bin/probe';
      const all = [...flags, '--rm', '--name', host.id()];
      const child = launchOnTerminal(host, store, all, inShell(script));
      const { terminal: found, descriptors } = parseReport((await child.finished).stdout);
      expect(found).toMatchObject({ controlling: 'ENXIO', name: '' });
      const targets = descriptors.map(({ target }) => target ?? '');
      expect(targets.filter((target) => /tty|pts|ptmx|console/.test(target))).toEqual([]);
    });
  }

  it('shows both outputs, and passes on what is typed with --interactive', async () => {
    await using host = await TestHost.open('hull');
    const script = 'echo out; echo err >&2; read line; echo "got $line"; exit 6';
    const child = launchOnTerminal(host, store, ['-i', '--rm', '--name', host.id()], inShell(script));
    await until('both outputs', () => child.stdout().includes('out') && child.stdout().includes('err'));
    child.write('some text\n');
    expect((await child.finished).status).toBe(6);
    expect(child.stdout()).toContain('got some text');
  });
});
