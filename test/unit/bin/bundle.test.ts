import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../../bin/bundle.ts';
import { runProgram } from '../../support/hull.ts';

const BIN = join(import.meta.dirname, '../../../bin');

/** A program with two commands that share a module, one that none shares, and a worker. */
const SOURCES: Readonly<Record<string, string>> = {
  'cli/main.ts': `
    import { count } from '../shared/count.ts';
    const COMMANDS = { one: () => import('./one.ts'), two: () => import('./two.ts'), three: () => import('./three.ts') };
    declare const BUILT: string | undefined;
    export async function main([name]: (keyof typeof COMMANDS)[]): Promise<number> {
      count('main');
      console.log(await (await COMMANDS[name!]()).run(), typeof BUILT === 'string' ? BUILT : 'unbuilt');
      return 7;
    }
    if (import.meta.main) throw new Error('a bundle is started by bin/boot.cjs');`,
  'shared/count.ts': `
    export let counted: string[] = [];
    export const count = (name: string): number => { counted = [...counted, name]; return counted.length; };`,
  'cli/one.ts': `
    import { count, counted } from '../shared/count.ts';
    import { name } from './one-and-two.ts';
    export const run = (): string => { count(name('one')); return counted.join(); };`,
  'cli/two.ts': `
    import { count } from '../shared/count.ts';
    import { name } from './one-and-two.ts';
    export const run = (): number => count(name('two'));`,
  'cli/one-and-two.ts': `export const name = (of: string): string => 'caf\\u00e9 ' + of;`,
  'cli/three.ts': `
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    export async function run(): Promise<string> {
      const worker = new Worker(new URL('./three-worker.ts', import.meta.url));
      return [(await once(worker, 'message'))[0], import.meta.dirname, import.meta.filename].join(' ');
    }`,
  'cli/three-worker.ts': `
    import { parentPort } from 'node:worker_threads';
    import { count } from '../shared/count.ts';
    parentPort!.postMessage('worker ' + count('worker'));`,
};

let root: string;
let scripts: ReadonlyMap<string, string>;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'hull-bundle-'));
  for (const [file, text] of Object.entries(SOURCES)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  const programs = [{ name: 'program', source: 'cli/main.ts' }];
  const frequent = [{ name: 'both', entryPoints: ['cli/one.ts', 'cli/two.ts'] }];
  scripts = await bundle(root, programs, frequent, { BUILT: '"built"' });
  mkdirSync(join(root, 'bin'));
  for (const file of ['boot.cjs', 'code-cache.cjs']) cpSync(join(BIN, file), join(root, 'bin', file));
  mkdirSync(join(root, 'dist'));
  for (const [file, text] of scripts) writeFileSync(join(root, 'dist', file), text);
});
afterAll(() => rmSync(root, { recursive: true }));

const boot = (...args: string[]) =>
  runProgram(process.execPath, [join(root, 'bin/boot.cjs'), 'program', ...args]);

describe('bundle()', () => {
  it('puts commands that are wanted together into one script, others and workers into their own', () => {
    expect([...scripts.keys()].sort()).toEqual(['both.cjs', 'program.cjs', 'three-worker.cjs', 'three.cjs']);
  });

  it('writes ASCII, which the launcher reads as it is', () => {
    for (const text of scripts.values()) expect(text).toMatch(/^[\t\n\x20-\x7e]*$/);
  });

  it('keeps one copy of what groups share, with bindings that follow its changes', () => {
    expect(boot('one')).toEqual({ status: 7, stdout: 'main,café one built\n', stderr: '' });
    expect(boot('two')).toEqual({ status: 7, stdout: '2 built\n', stderr: '' });
  });

  it('gives modules their place, and finds their workers', () => {
    const dist = join(root, 'dist');
    expect(boot('three').stdout).toBe(`worker 1 ${dist} ${join(dist, 'three.cjs')} built\n`);
  });

  it('says which command of a group is not there', async () => {
    const groups = [{ name: 'gone', entryPoints: ['cli/gone.ts'] }];
    const bundling = bundle(root, [{ name: 'program', source: 'cli/main.ts' }], groups, {});
    await expect(bundling).rejects.toThrow('nothing imports cli/gone.ts');
  });
});

describe('bin/code-cache.cjs', () => {
  const codeCache = (...args: string[]) =>
    runProgram(process.execPath, [join(root, 'bin/code-cache.cjs'), ...args]);
  const sizeOf = (name: string) => statSync(join(root, `dist/${name}.cache`)).size;

  it('caches what was called, which is less than the whole', () => {
    expect(codeCache('called', 'program', JSON.stringify([['one']])).status).toBe(0);
    const called = sizeOf('both');
    expect(codeCache('whole', 'three', 'both.three').status).toBe(0);
    expect(sizeOf('both.three')).toBeGreaterThan(called);
    expect(sizeOf('both')).toBe(called);
    expect(boot('one')).toEqual({ status: 7, stdout: 'main,café one built\n', stderr: '' });
  });

  const wasTaken = (name: string) => {
    const check = `const { Script } = require('node:vm'), { readFileSync } = require('node:fs');
      const [source, cachedData] = [readFileSync('${name.split('.')[0]}.cjs', 'latin1'), readFileSync('${name}.cache')];
      console.log(!new Script(source, { cachedData }).cachedDataRejected);`;
    return runProgram(process.execPath, ['-e', check], { cwd: join(root, 'dist') }).stdout;
  };

  it('writes caches that V8 takes', () => {
    for (const name of ['program', 'both', 'both.three', 'three']) expect(wasTaken(name)).toBe('true\n');
  });
});
