import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Bundle } from '../support/bundle.ts';
import { itExcept } from '../support/claim.ts';
import { TestHost } from '../support/host.ts';
import { errorText } from '../support/runtime.ts';

describe('a container that does not exist', () => {
  // biome-ignore format: a table
  const COMMANDS: readonly [command: string, operands: string[], status: number, text: string][] = [
    ['state',  [],          1,   'container does not exist'],
    ['start',  [],          1,   'container does not exist'],
    ['kill',   ['TERM'],    1,   'container does not exist'],
    ['delete', [],          1,   'container does not exist'],
    ['pause',  [],          1,   'container does not exist'],
    ['resume', [],          1,   'container does not exist'],
    ['ps',     [],          1,   'container does not exist'],
    ['update', [],          1,   'container does not exist'],
    ['exec',   ['/bin/sh'], 255, 'exec failed: container does not exist'],
  ];
  for (const [command, operands, status, text] of COMMANDS) {
    // hull has no update yet.
    const claim = command === 'update' ? itExcept('hull 0.1.0') : it;
    claim(`makes ${command} fail with "${text}"`, async () => {
      await using host = await TestHost.open();
      const outcome = await host.runtime.call(command, [host.id(), ...operands]);
      expect(outcome).toMatchObject({ status, stdout: '' });
      expect(outcome.stderr).toContain(text);
    });
  }
});

describe('an id', () => {
  // biome-ignore format: a table
  const BAD = ['', '.', '..', '../up', 'a/b', 'a b', 'a\nb', 'ä', 'a:b', 'a*', '$(id)', '/', '/etc'];
  for (const id of BAD) {
    it(`${JSON.stringify(id)} is refused`, async () => {
      await using host = await TestHost.open();
      const outcome = await host.runtime.create(id, host.bundle());
      expect(outcome.status).toBe(1);
      expect(outcome.stderr).toMatch(/invalid container ID format|container id cannot be empty/);
      expect(await host.differences()).toEqual([]);
    });
  }

  it('of letters, digits, and _+-. is accepted', async () => {
    await using host = await TestHost.open();
    const id = `${host.id()}_A+b.c-9`;
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/true'];
    });
    expect((await host.runtime.run(id, bundle)).status).toBe(0);
  });
});

describe('the operands', () => {
  it('that are missing are asked for', async () => {
    await using host = await TestHost.open();
    for (const command of ['state', 'start', 'create', 'run', 'delete', 'kill']) {
      const outcome = await host.runtime.call(command, []);
      expect(outcome.status, command).not.toBe(0);
      expect(errorText(outcome), command).toMatch(
        new RegExp(`"${command}" requires (exactly|a minimum of) 1 argument`),
      );
    }
  });

  it('that are too many are refused', async () => {
    await using host = await TestHost.open();
    const outcome = await host.runtime.call('state', ['a', 'b']);
    expect(outcome.status).toBe(1);
    expect(errorText(outcome)).toContain('"state" requires exactly 1 argument(s)');
  });
});

describe('a command', () => {
  it('that there is not is refused', async () => {
    await using host = await TestHost.open();
    const outcome = await host.runtime.call('nonsense', []);
    expect(outcome.status).not.toBe(0);
    expect(outcome.stdout + outcome.stderr).toContain('nonsense');
  });

  it('with an option that there is not is refused', async () => {
    await using host = await TestHost.open();
    const outcome = await host.runtime.call('state', ['a'], { flags: ['--nonsense'] });
    expect(outcome.status).not.toBe(0);
    expect(outcome.stdout + outcome.stderr).toContain('nonsense');
  });
});

describe('the log', () => {
  const failing = (host: TestHost): Bundle =>
    host.bundle((config) => {
      config.process.args = ['/nosuch'];
    });

  it('gets the error as one JSON object a line, and standard error gets it too', async () => {
    await using host = await TestHost.open();
    const log = host.path('log.json');
    const globals = ['--log', log, '--log-format', 'json'];
    const outcome = await host.runtime.run(host.id(), failing(host), { globals });
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('/nosuch');
    const entries = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    const last = entries.findLast(({ level }) => level === 'error');
    expect(last?.msg).toContain('/nosuch');
    expect(last?.time).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it('is text without a format, and never loses what it had', async () => {
    await using host = await TestHost.open();
    const log = host.path('log');
    writeFileSync(log, 'before\n');
    await host.runtime.run(host.id(), failing(host), { globals: ['--log', log] });
    expect(readFileSync(log, 'utf8')).toMatch(/^before\ntime="[^"]+" level=error msg=".*nosuch/);
  });

  it('of another format is refused', async () => {
    await using host = await TestHost.open();
    const outcome = await host.runtime.call('list', [], { globals: ['--log-format', 'xml'] });
    expect(outcome.status).toBe(1);
    expect(errorText(outcome)).toMatch(/invalid log-format|unknown log-format/);
  });
});

describe('the systemd driver', () => {
  // Where systemd runs, runc makes the container.
  itExcept('runc 1.1.5')('is refused, not ignored, when a container would be made', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle();
    expect((await host.runtime.run(host.id(), bundle)).status).toBe(0);
    const outcome = await host.runtime.call('--systemd-cgroup', ['run', '-b', bundle.directory, host.id()]);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('--systemd-cgroup');
  });
});
