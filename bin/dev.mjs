// The project's tasks, as `npm run TASK` calls them. This file and what it imports run on any Node from 20 on; all else
// runs on the Node that package.json pins.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { ensurePackages } from './debian-packages.mjs';
import { ensureModules, pinnedNode, ROOT } from './node-modules.mjs';

const BIN = join(ROOT, 'node_modules', '.bin');

/** Runs a program of ours to its end; the result is its exit status. */
function run(program, args) {
  const env = { ...process.env, PATH: [BIN, process.env.PATH].join(delimiter) };
  const { status, signal, error } = spawnSync(program, args, { cwd: ROOT, env, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (signal !== null) console.error(`${program} was ended by ${signal}`);
  return status ?? 1;
}

const runNode = (args) => run(pinnedNode(), ['--disable-warning=ExperimentalWarning', ...args]);

function requireRoot(task) {
  if (process.getuid() === 0) return;
  console.error(`npm run ${task} makes containers, cgroups and mounts, and so needs root: run it with sudo`);
  process.exit(1);
}

const build = () => runNode([join('bin', 'build.ts')]);

/** npm's own step after `npm ci` and before `npm pack`: npm is at work on node_modules, and nothing else is its to change. */
function prepare() {
  if (existsSync(join(ROOT, 'node_modules', 'esbuild'))) return build();
  console.log(
    'dist/ was not built, for want of esbuild, a development dependency; hull runs from its sources',
  );
  return 0;
}

function demo() {
  requireRoot('demo');
  return build() || runNode([join('bin', 'demo.ts')]);
}

/** `npm test -- unit`, `npm test -- integration`, or anything that vitest takes: a part of a path, `-t NAME`. */
function test(args) {
  const isUnitOnly = args[0] === 'unit';
  if (!isUnitOnly) requireRoot('test');
  const filters = args.map((arg) => (arg === 'unit' || arg === 'integration' ? `test/${arg}/` : arg));
  return build() || run('vitest', ['run', ...filters]);
}

// biome-ignore format: a table
const CHECKS = {
  types: () => run('tsc', ['--noEmit']),
  lint: () => run('biome', ['check', '--error-on-warnings', '.']),
  'dead-code': () => run('knip', ['--no-progress']),
  unit: () => run('vitest', ['run', 'test/unit/']),
};

/** All checks, or those named; every one of them runs, whatever became of the others. */
function check(names) {
  const chosen = names.length === 0 ? Object.keys(CHECKS) : names;
  const failed = chosen.filter((name) => {
    if (CHECKS[name] === undefined)
      throw new Error(`no check is named ${name}: ${Object.keys(CHECKS).join(', ')}`);
    return CHECKS[name]() !== 0;
  });
  if (failed.length > 0) console.error(`failed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

const fix = () => run('biome', ['check', '--write', '.']);

/** `npm run bench -- NAME --rounds 5` runs bench/NAME.bench.ts with its options; without a name, every one. */
function bench(args) {
  requireRoot('bench');
  const optionsAt = args.findIndex((arg) => arg.startsWith('-'));
  const names = optionsAt === -1 ? args : args.slice(0, optionsAt);
  const all = readdirSync(join(ROOT, 'bench')).filter((file) => file.endsWith('.bench.ts'));
  const chosen = all.filter((file) => names.length === 0 || names.includes(basename(file, '.bench.ts')));
  if (chosen.length === 0) throw new Error(`no such benchmark; there are: ${all.join(', ')}`);
  let status = build();
  for (const file of chosen) status ||= runNode([join('bench', file), ...args.slice(names.length)]);
  return status;
}

const TASKS = { demo, test, check, fix, build, bench };

function main([task, ...args]) {
  if (process.env.npm_lifecycle_event === 'prepare') return prepare();
  if (task === undefined || TASKS[task] === undefined) {
    console.error(`usage: node bin/dev.mjs ${Object.keys(TASKS).join('|')}`);
    return 2;
  }
  ensureModules();
  ensurePackages(task);
  return TASKS[task](args);
}

process.exitCode = main(process.argv.slice(2));
