// Builds hull into dist/: `node bin/build.ts`, under the pinned Node, whose V8 writes the code caches.
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Architecture } from '../sys/abi/syscalls.ts';
import { assembleInterpreter } from '../sys/stage/interpreter.ts';
import { bundle, type Group, type Program } from './bundle.ts';

const ROOT = dirname(import.meta.dirname);
const DIST = join(ROOT, 'dist');

const PROGRAMS: readonly Program[] = [{ name: 'hull', source: 'runtime/cli/main.ts' }];

/** Scripts that several commands share. A module belongs to the first that needs it; a command not named has its own. */
const FREQUENT: readonly Group[] = [
  {
    name: 'look',
    entryPoints: ['state', 'start', 'kill', 'delete', 'list'].map((name) => `runtime/cli/${name}.ts`),
  },
  { name: 'make', entryPoints: ['create', 'run', 'exec'].map((name) => `runtime/cli/${name}.ts`) },
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

/** In a process of its own, since flags of V8 are for the whole process. */
function writeCodeCaches(): void {
  const args = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'code-cache.cjs')];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: 'pipe' });
  if (status !== 0) throw new Error(`cannot make the code caches: ${stderr}`);
}

const fresh = join(ROOT, `.dist-${process.pid}`);
mkdirSync(fresh);
try {
  const scripts = await bundle(ROOT, PROGRAMS, FREQUENT, {
    HULL_COMMIT: JSON.stringify(commit()) ?? 'undefined',
    HULL_STAGE_X64: stageCode('x64'),
    HULL_STAGE_ARM64: stageCode('arm64'),
  });
  for (const [file, text] of scripts) writeFileSync(join(fresh, file), text);
  rmSync(DIST, { recursive: true, force: true });
  renameSync(fresh, DIST);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
writeCodeCaches();
