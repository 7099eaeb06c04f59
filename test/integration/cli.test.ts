import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HULL, hull } from '../support/hull.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hull-cli-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('hull', () => {
  it('prints its version as runc does, a name and a value on each line', () => {
    const { status, stdout, stderr } = hull(['--version']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^hull version \d+\.\d+\.\d+\n(?:\S+: \S+\n)+$/);
    expect(stdout).toContain('\nspec: 1.3.0\n');
    expect(stdout).toContain('\nnode: 26.');
    expect(hull(['-v']).stdout).toBe(stdout);
  });

  it('prints the list of commands when it is given nothing, or asked for help', () => {
    const { status, stdout, stderr } = hull([]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: hull \[options\] <command> \[arguments\.\.\.\]\n/);
    expect(stdout).toMatch(/\nCommands:\n(?: {2}\S+ .*\n)*? {2}spec /);
    for (const args of [['--help'], ['-h'], ['help'], ['--debug', 'help']])
      expect(hull(args).stdout).toBe(stdout);
  });

  it('explains one command, however it is asked', () => {
    const { status, stdout } = hull(['spec', '--help']);
    expect(status).toBe(0);
    expect(stdout).toContain('Usage: hull spec [options]\n');
    expect(stdout).toContain('Examples:\n');
    for (const args of [
      ['help', 'spec'],
      ['spec', '-h'],
      ['--help', 'spec'],
    ])
      expect(hull(args).stdout).toBe(stdout);
  });

  it("has no other command's help, and suggests what was meant", () => {
    const unknown = { status: 3, stdout: '', stderr: 'No help topic for \'spce\'\ndid you mean "spec"?\n' };
    expect(hull(['spce'])).toEqual(unknown);
    expect(hull(['help', 'spce'])).toEqual(unknown);
    expect(hull(['constructor']).stderr).toBe('No help topic for \'constructor\'\ntry "hull --help"\n');
  });

  it('shows the usage when the number of operands is wrong', () => {
    const { status, stdout, stderr } = hull(['spec', 'one', '--rootless']);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'hull: "spec" requires exactly 0 argument(s)\n',
    });
    expect(stdout).toMatch(/^Incorrect Usage\.\n\nUsage: hull spec \[options\]\n/);
  });

  it('refuses an option that it does not have', () => {
    const stderr = "hull spec: unknown option '--rotless'\nDid you mean --rootless?\n";
    expect(hull(['spec', '--rotless'])).toEqual({ status: 1, stdout: '', stderr });
  });

  it('ends quietly when its reader has left', async () => {
    const child = spawn(HULL, ['help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy(); // at once, while Node takes some 20 ms to start
    const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
  });
});

describe('--log', () => {
  const fail = (...args: string[]) => hull([...args, 'spec', '--bundle', '/nonexistent']);
  const MESSAGE = 'open "/nonexistent/config.json": no such file or directory';

  it('is standard error when it is not given, and then the error is one plain line', () => {
    expect(fail()).toEqual({ status: 1, stdout: '', stderr: `${MESSAGE}\n` });
  });

  it('gets the error in its own format, and standard error gets the plain line', () => {
    const log = join(directory, 'log');
    expect(fail('--log', log, '--log-format', 'json').stderr).toBe(`${MESSAGE}\n`);
    expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({ level: 'error', msg: MESSAGE });
  });

  it('is appended to, in text unless JSON is asked for', () => {
    const log = join(directory, 'log');
    writeFileSync(log, 'first\n');
    fail(`--log=${log}`);
    const quoted = MESSAGE.replaceAll('"', '\\"');
    const [first, second] = readFileSync(log, 'utf8').split('\n');
    expect(first).toBe('first');
    expect(second).toMatch(/^time="20\d\d-[\dT:.-]+Z" level=error msg=/);
    expect(second?.endsWith(`msg="${quoted}"`)).toBe(true);
  });

  it('is JSON on standard error when only the format is given', () => {
    const { stderr } = fail('--log-format', 'json');
    expect(JSON.parse(stderr)).toMatchObject({ level: 'error', msg: MESSAGE });
  });

  it('says so when it cannot be opened', () => {
    const { status, stderr } = fail('--log', '/nonexistent/log');
    expect(status).toBe(1);
    const reason = 'open "/nonexistent/log": no such file or directory';
    expect(stderr).toBe(`cannot open the log file "/nonexistent/log": ${reason}\n`);
  });

  it('has two formats only', () => {
    expect(fail('--log-format', 'xml')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'invalid log-format: xml\n',
    });
  });
});

describe('spec', () => {
  const config = () => JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8'));

  it('writes config.json to the current directory, with tabs', () => {
    expect(hull(['spec'], { cwd: directory })).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(readFileSync(join(directory, 'config.json'), 'utf8')).toMatch(/^\{\n\t"ociVersion": "1\.3\.0",\n/);
    expect(config().process.args).toEqual(['sh']);
  });

  it('maps the user to root with --rootless', () => {
    expect(hull(['spec', '--rootless', '-b', directory]).status).toBe(0);
    const uid = process.geteuid?.();
    expect(config().linux.uidMappings).toEqual([{ containerID: 0, hostID: uid, size: 1 }]);
  });

  it('leaves a file that is there alone, even a link to nothing', () => {
    const exists = { status: 1, stdout: '', stderr: 'File config.json exists. Remove it first\n' };
    const outside = join(directory, 'outside');
    symlinkSync(outside, join(directory, 'config.json'));
    expect(hull(['spec', '--bundle', directory])).toEqual(exists);
    writeFileSync(outside, 'kept');
    expect(hull(['spec', '--bundle', directory])).toEqual(exists);
    expect(readFileSync(outside, 'utf8')).toBe('kept');
  });
});
