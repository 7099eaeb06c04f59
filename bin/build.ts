// Builds hull into dist/: `node bin/build.ts`, under the pinned Node, whose V8 writes the code caches.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Architecture } from '../sys/abi/syscalls.ts';
import { assembleInterpreter } from '../sys/stage/interpreter.ts';
import { bundle, type Group, type Program } from './bundle.ts';

const ROOT = dirname(import.meta.dirname);
const DIST = join(ROOT, 'dist');

const PROGRAMS: readonly Program[] = [{ name: 'hull', source: 'runtime/cli/main.ts' }];

const commands = (...names: string[]): string[] => names.map((name) => `runtime/cli/${name}.ts`);

/** Scripts that several commands share. A module belongs to the first that needs it; a command not named has its own. */
const LOOK: Group = {
  name: 'look',
  entryPoints: commands('state', 'start', 'kill', 'delete', 'list', 'pause', 'resume'),
};
const MAKE: Group = { name: 'make', entryPoints: commands('create', 'run', 'exec') };

/**
 * What the code caches of the program and of LOOK are made from: command lines that change nothing, and so can run while
 * hull is built. Commands that make containers cannot; for them, all functions are cached. EMPTY is an empty directory.
 */
const CALLED: readonly (readonly string[])[] = [
  ['--version'],
  ...['state', 'start', 'kill', 'delete', 'list'].map((name) => [
    ...['--root', 'EMPTY', '--log', 'EMPTY/log', '--log-format', 'json'],
    ...[name, ...(name === 'list' ? [] : ['none'])],
  ]),
];

/** Of this repository and no other that this directory may lie in; undefined in a copy without one. */
function commit(): string | undefined {
  const repository = [`--git-dir=${ROOT}/.git`, `--work-tree=${ROOT}`];
  const args = [...repository, 'describe', '--always', '--dirty', '--abbrev=12'];
  const { stdout, status } = spawnSync('git', args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** The stage's machine code, for sys/stage/code.ts. */
const stageCode = (architecture: Architecture): string =>
  JSON.stringify(Buffer.from(assembleInterpreter(architecture)).toString('base64'));

/** V8 takes a cache only where it runs with the options that it had when it made it. */
function launchersOptions(): string[] {
  const launcher = readFileSync(join(import.meta.dirname, 'hull'), 'utf8');
  const options = /^v8='(.*)'$/m.exec(launcher)?.[1];
  if (options === undefined) throw new Error('cannot find the options for V8 in bin/hull');
  return options.split(' ');
}

/** In a process of its own: a cache is for the V8 that made it, and commands end as they please. */
function codeCache(cwd: string, ...args: string[]): void {
  const script = [join(import.meta.dirname, 'code-cache.cjs'), ...args];
  const node = ['--disable-warning=ExperimentalWarning', ...launchersOptions(), ...script];
  const { status, stderr } = spawnSync(process.execPath, node, { cwd, encoding: 'utf8', stdio: 'pipe' });
  if (status !== 0) throw new Error(`cannot make the code caches: ${stderr}`);
}

function writeCodeCaches(scripts: Iterable<string>): void {
  const empty = mkdtempSync(join(tmpdir(), 'hull-build-'));
  try {
    const lines = CALLED.map((args) => args.map((arg) => arg.replace('EMPTY', empty)));
    codeCache(empty, 'called', 'hull', JSON.stringify(lines));
    const groups = [...scripts]
      .filter((file) => !file.endsWith('-worker.cjs'))
      .map((file) => basename(file, '.cjs'));
    const rest = groups.filter((group) => !existsSync(join(DIST, `${group}.cache`)));
    codeCache(empty, 'whole', ...rest, `${LOOK.name}.${MAKE.name}`);
  } finally {
    rmSync(empty, { recursive: true });
  }
}

const fresh = join(ROOT, `.dist-${process.pid}`);
mkdirSync(fresh);
try {
  const scripts = await bundle(ROOT, PROGRAMS, [LOOK, MAKE], {
    HULL_COMMIT: JSON.stringify(commit()) ?? 'undefined',
    HULL_STAGE_X64: stageCode('x64'),
    HULL_STAGE_ARM64: stageCode('arm64'),
  });
  for (const [file, text] of scripts) writeFileSync(join(fresh, file), text);
  rmSync(DIST, { recursive: true, force: true });
  renameSync(fresh, DIST);
  writeCodeCaches(scripts.keys());
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
