// The house rules, held against every file; and each rule held against a text that breaks it.
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  importProblems,
  lengthProblems,
  linkProblems,
  numberingProblems,
  processProblems,
  SOURCE_FOLDERS,
  unfinishedProblems,
} from '../support/house-rules.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const SOURCES = SOURCE_FOLDERS.map((folder) => `${folder}/**/*.ts`);
const TESTS = ['test/**/*.ts', 'bench/**/*.ts', 'bin/**/*.ts', 'bin/**/*.mjs', 'bin/**/*.cjs'];

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const filesOf = (patterns: readonly string[]): string[] => globSync([...patterns], { cwd: ROOT });
const exists = (path: string): boolean => existsSync(join(ROOT, path));

/** These two name what the rules forbid. */
const RULES = new Set(['test/support/house-rules.ts', 'test/unit/tidy.test.ts']);

type Rule = (file: string, source: string) => string[];

const problemsIn = (patterns: readonly string[], rule: Rule): string[] =>
  filesOf(patterns)
    .filter((file) => !RULES.has(file))
    .flatMap((file) => rule(file, read(file)));

describe('imports', () => {
  it('point downwards only, and ffi-rs has one importer', () => {
    expect(problemsIn([...SOURCES, ...TESTS], importProblems)).toEqual([]);
  });

  // biome-ignore format: a table
  const WRONG: [file: string, source: string, problem: string][] = [
    ['sys/fd.ts',            "import { a } from '../spec/config.ts';",          'sys/fd.ts imports spec/'],
    ['image/a/b.ts',         "import type { A } from '../../runtime/log.ts';",  'image/a/b.ts imports runtime/'],
    ['cgroups/a.ts',         "const a = await import('../microvm/vm.ts');",     'cgroups/a.ts imports microvm/'],
    ['runtime/a.ts',         "import '../test/support/a.ts';",                  'runtime/a.ts imports test/'],
    ['runtime/a.ts',         "import { load } from 'ffi-rs';",                  'runtime/a.ts imports ffi-rs'],
    ['test/a.ts',            "type A = typeof import('ffi-rs');",               'test/a.ts imports ffi-rs'],
    ['sys/a.ts',             "import a from '../package.json' with {};",        'sys/a.ts imports package.json/'],
    ['sys/a.ts',             "import * as abi from './abi.ts';",                "sys/a.ts has import * as abi from './abi.ts'"],
  ];
  for (const [file, source, problem] of WRONG) {
    it(`are refused: ${problem}`, () => expect(importProblems(file, source)).toEqual([problem]));
  }
});

describe('the process', () => {
  it('is known to the command line only', () => {
    expect(problemsIn(SOURCES, processProblems)).toEqual([]);
  });

  it('is refused elsewhere, but for comments', () => {
    const source =
      "// console.log(1)\nif (process.env.A) process.exit(1);\nfetch('http://a'); // process.argv\n";
    expect(processProblems('image/a.ts', source)).toEqual([
      'image/a.ts uses process.env',
      'image/a.ts uses process.exit',
    ]);
    expect(processProblems('runtime/cli/main.ts', source)).toEqual([]);
    expect(processProblems('runtime/a.ts', 'f(process.env, process.env ?? [], config.process.env)')).toEqual([
      'runtime/a.ts uses process.env',
    ]);
  });
});

describe('files', () => {
  it('hold nothing unfinished', () => {
    expect(problemsIn([...SOURCES, ...TESTS], unfinishedProblems)).toEqual([]);
    const wrong = ['// TODO: later', 'it.only("x")', 'throw new Error("not implemented")', 'enum A { B }'];
    expect(wrong.map((source) => unfinishedProblems('a.ts', source).length)).toEqual([1, 1, 1, 1]);
  });

  it('have 400 lines at most', () => {
    expect(problemsIn([...SOURCES, ...TESTS], lengthProblems)).toEqual([]);
    expect(lengthProblems('a.ts', '\n'.repeat(400))).toEqual([]);
    expect(lengthProblems('a.ts', '\n'.repeat(401))).toHaveLength(1);
  });

  it('are found by these tests', () => {
    expect(filesOf(SOURCES)).toContain('sys/ffi.ts');
    expect(filesOf(TESTS)).toContain('test/unit/tidy.test.ts');
  });
});

describe('documents', () => {
  it('link to files that exist', () => {
    const pages = globSync('**/*.md', { cwd: ROOT, exclude: ['node_modules', 'dist'] });
    expect(pages).toContain('README.md');
    expect(pages.flatMap((page) => linkProblems(page, read(page), exists))).toEqual([]);
  });

  it('are refused when they link to nothing', () => {
    const text = '[a](gone.md#part) [b](../README.md) [c](https://example.com/x) `[d](gone.md)`';
    expect(linkProblems('docs/a.md', text, exists)).toEqual(['docs/a.md links to docs/gone.md']);
  });

  it('number each decision once', () => {
    expect(numberingProblems(readdirSync(join(ROOT, 'docs/decisions')))).toEqual([]);
    expect(numberingProblems(['0001-a.md', '0001-b.md', 'c.md'])).toHaveLength(2);
  });
});

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe('package-lock.json', () => {
  it('has every optional package, for other machines too: npm ci refuses a lock file that lacks one', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> };
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages),
      ),
    );
    expect(missing).toEqual([]);
  });

  it('names no host to fetch from, so that every machine uses its own', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved":|https?:\/\/registry/);
  });
});
