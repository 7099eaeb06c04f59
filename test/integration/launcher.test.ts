import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKOUT } from '../support/compile.ts';
import { HULL, hull, PLAIN_PATH, runProgram } from '../support/hull.ts';

const PINNED = `node-linux-${process.arch}`;
const MODULES = join(CHECKOUT, 'node_modules');
const NODE = join(MODULES, PINNED, 'bin/node');
const NOBODY = 65534;

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hull-launcher-'));
  chmodSync(scratch, 0o755);
});
afterAll(() => rmSync(scratch, { recursive: true }));

const version = (program: string, ...options: Parameters<typeof runProgram>[2][]) =>
  runProgram(program, ['--version'], ...options);

const isVersion = (text: string): boolean => /^hull version .*\n.*spec: /s.test(text);

/** What npm installs of hull, at `directory`: without its modules. */
function installAt(directory: string, ...folders: string[]): string {
  mkdirSync(directory, { recursive: true });
  for (const folder of ['bin', ...folders]) {
    cpSync(join(CHECKOUT, folder), join(directory, folder), { recursive: true });
  }
  return directory;
}

function link(target: string, path: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  symlinkSync(target, path);
  return path;
}

describe('bin/hull', () => {
  it('starts from any directory', () => {
    for (const cwd of ['/', scratch, CHECKOUT]) expect(isVersion(version(HULL, { cwd }).stdout)).toBe(true);
    expect(isVersion(version('bin/hull', { cwd: CHECKOUT }).stdout)).toBe(true);
    expect(isVersion(version('./hull', { cwd: join(CHECKOUT, 'bin') }).stdout)).toBe(true);
  });

  it('starts by its name on PATH', () => {
    const PATH = `${join(CHECKOUT, 'bin')}:${PLAIN_PATH}`;
    expect(isVersion(runProgram('sh', ['-c', 'hull --version'], { env: { PATH } }).stdout)).toBe(true);
  });

  it('starts through a chain of links, absolute and relative', () => {
    link(HULL, join(scratch, 'links/one'));
    link('../links/one', join(scratch, 'more links/two'));
    const three = link('more links/two', join(scratch, 'three'));
    expect(isVersion(version(three).stdout)).toBe(true);
    expect(isVersion(version('./three', { cwd: scratch }).stdout)).toBe(true);
  });

  it('starts where `npm install` put it, its modules hoisted', () => {
    const modules = join(scratch, 'project/node_modules');
    installAt(join(modules, 'hull'), 'dist');
    link(join(MODULES, PINNED), join(modules, PINNED));
    const bin = link('../hull/bin/hull', join(modules, '.bin/hull'));
    expect(isVersion(version(bin, { cwd: '/' }).stdout)).toBe(true);
  });

  it('starts where `npm install --global` put it, its modules inside', () => {
    const lib = installAt(join(scratch, 'prefix/lib/node_modules/hull'), 'dist');
    link(MODULES, join(lib, 'node_modules'));
    const bin = link('../lib/node_modules/hull/bin/hull', join(scratch, 'prefix/bin/hull'));
    expect(isVersion(version(bin, { cwd: '/' }).stdout)).toBe(true);
  });

  it('runs the sources when nothing is built', () => {
    const checkout = installAt(join(scratch, 'checkout'), 'runtime', 'sys', 'spec', 'package.json');
    link(MODULES, join(checkout, 'node_modules'));
    const { stdout, stderr } = version(join(checkout, 'bin/hull'));
    expect(stderr).toBe('');
    expect(isVersion(stdout)).toBe(true);
  });

  it('starts no process of its own', ({ skip }) => {
    skip(runProgram('sh', ['-c', 'command -v strace']).status !== 0, 'needs strace');
    const trace = join(scratch, 'trace');
    const prefix = join(scratch, 'prefix/bin/hull'); // as the test above installed it
    for (const program of [HULL, prefix]) {
      runProgram('strace', ['-f', '-o', trace, '-e', 'trace=execve,fork,vfork', program, '--version']);
      const calls = readFileSync(trace, 'utf8').match(/(?:execve|v?fork)\(.*= 0$/gm);
      expect(calls?.map((call) => /\("([^"]*)"/.exec(call)?.[1]?.split('/').at(-1))).toEqual([
        'hull',
        'node',
      ]);
    }
  });

  it('passes every argument on as it is', () => {
    for (const argument of ['a b', '$(id)', '*', 'a\nb', "it's", '\\']) {
      expect(hull([argument]).stderr).toBe(`No help topic for '${argument}'\ntry "hull --help"\n`);
    }
  });
});

describe("the caller's environment", () => {
  // Each makes a plain `node` of the same version fail, or say something: that is the second half of the test.
  // biome-ignore format: a table
  const HARMFUL: [name: string, value: string][] = [
    ['NODE_OPTIONS', '--require /nonexistent.js'],
    ['NODE_OPTIONS', '--no-such-option'],
    ['NODE_DEBUG_NATIVE', 'mksnapshot,inspector_server,inspector_profiler,code_cache,ngtcp2_debug,worker,wasi,all'],
    ['NODE_CHANNEL_FD', 'x'],
    ['NODE_EXTRA_CA_CERTS', '/nonexistent.pem'],
  ];
  for (const [name, value] of HARMFUL) {
    it(`has no ${name}=${value} for hull`, () => {
      const env = { [name]: value };
      const plain = runProgram(NODE, ['-e', "require('node:tls').rootCertificates; 0"], { env });
      expect(plain.status !== 0 || plain.stderr !== '' || plain.stdout !== '').toBe(true);
      expect(version(HULL, { env })).toEqual(version(HULL));
    });
  }
});

describe('Node', () => {
  let bare: string;
  beforeAll(() => {
    bare = installAt(join(scratch, 'bare'), 'dist');
  });
  const bareVersion = (PATH: string) => version(join(bare, 'bin/hull'), { env: { PATH } });

  it('is named when there is none, in one sentence', () => {
    const { status, stdout, stderr } = bareVersion('/nonexistent');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^hull: Node 24 or later is missing: [^\n]* \(found: none\)\n$/);
  });

  it('is taken from PATH when it is new enough', () => {
    link(NODE, join(scratch, 'new/node'));
    expect(isVersion(bareVersion(join(scratch, 'new')).stdout)).toBe(true);
  });

  it('is refused when it is too old', () => {
    mkdirSync(join(scratch, 'old'));
    writeFileSync(join(scratch, 'old/node'), '#!/bin/sh\necho v20.19.2\n', { mode: 0o755 });
    const { status, stderr } = bareVersion(join(scratch, 'old'));
    expect(status).toBe(1);
    expect(stderr).toContain('(found: v20.19.2)');
  });
});

describe('the code cache', () => {
  let copy: string;
  beforeAll(() => {
    copy = installAt(join(scratch, 'copy'), 'dist');
    link(join(MODULES, PINNED), join(copy, 'node_modules', PINNED));
  });
  const cache = () => join(copy, 'dist/hull.cache');

  /** The options that the launcher gives to Node: what it executes here only prints its arguments. */
  function launchersOptions(): string[] {
    const printer = installAt(join(scratch, 'printer'), 'dist');
    const node = join(printer, 'node_modules', PINNED, 'bin/node');
    mkdirSync(join(node, '..'), { recursive: true });
    writeFileSync(node, '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
    const args = version(join(printer, 'bin/hull')).stdout.split('\n');
    return args.slice(
      0,
      args.findIndex((arg) => arg.endsWith('boot.cjs')),
    );
  }

  it('is accepted by the pinned Node, with the options that it was made under', () => {
    const check = `const { Script } = require('node:vm'), { readFileSync } = require('node:fs');
      const [source, cachedData] = [readFileSync('hull.cjs', 'latin1'), readFileSync('hull.cache')];
      console.log(new Script(source, { cachedData }).cachedDataRejected);`;
    const isRejected = (...options: string[]) =>
      runProgram(NODE, [...options, '-e', check], { cwd: join(copy, 'dist') }).stdout;
    expect(isRejected(...launchersOptions())).toBe('false\n');
    expect(isRejected()).toBe('true\n');
  });

  it('can be damaged, cut short or missing', () => {
    const expected = version(join(copy, 'bin/hull'));
    expect(isVersion(expected.stdout)).toBe(true);
    truncateSync(cache(), 1000);
    expect(version(join(copy, 'bin/hull'))).toEqual(expected);
    writeFileSync(cache(), 'x'.repeat(5000));
    expect(version(join(copy, 'bin/hull'))).toEqual(expected);
    rmSync(cache());
    expect(version(join(copy, 'bin/hull'))).toEqual(expected);
  });

  it('serves a user who may not write it', () => {
    const { status, stdout } = version(join(copy, 'bin/hull'), { uid: NOBODY });
    expect({ status, isVersion: isVersion(stdout) }).toEqual({ status: 0, isVersion: true });
  });
});

describe('a set-user-ID hull', () => {
  const asUser = (...ids: string[]) =>
    runProgram('setpriv', [
      ...ids,
      '--clear-groups',
      NODE,
      join(CHECKOUT, 'bin/boot.cjs'),
      'hull',
      '--version',
    ]);

  it('refuses to run', () => {
    const refusal = 'hull must not be set-user-ID or set-group-ID\n';
    expect(asUser('--ruid', `${NOBODY}`)).toEqual({ status: 1, stdout: '', stderr: refusal });
    expect(asUser('--rgid', `${NOBODY}`)).toEqual({ status: 1, stdout: '', stderr: refusal });
  });

  it('is one whose real and effective users differ, and no other', () => {
    expect(isVersion(asUser('--rgid', '0').stdout)).toBe(true);
  });
});
