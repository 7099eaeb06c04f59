// How long hull takes to start, beside Node alone and the other runtimes: whole processes, all commands in turn.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const ROUNDS = 60;
const HULL = join(import.meta.dirname, '../bin/hull');

const scratch = mkdtempSync(join(tmpdir(), 'hull-bench-'));
const empty = join(scratch, 'empty.cjs');
writeFileSync(empty, '');

const COMMANDS: readonly (readonly [label: string, argv: readonly string[]])[] = [
  ['node, an empty script', [process.execPath, empty]],
  ['hull --version', [HULL, '--version']],
  ['hull spec --help', [HULL, 'spec', '--help']],
  ['runc --version', ['runc', '--version']],
  ['crun --version', ['crun', '--version']],
];

/** Milliseconds from spawn to exit; undefined when there is no such program. */
function time([program = '', ...args]: readonly string[]): number | undefined {
  const start = performance.now();
  const { error } = spawnSync(program, args, { stdio: 'ignore' });
  return error === undefined ? performance.now() - start : undefined;
}

const percentile = (sorted: readonly number[], fraction: number): string =>
  (sorted[Math.floor(sorted.length * fraction)] ?? Number.NaN).toFixed(1).padStart(7);

const times = COMMANDS.map((): number[] => []);
for (let round = -2; round < ROUNDS; round++) {
  for (const [index, [, argv]] of COMMANDS.entries()) {
    const ms = time(argv);
    if (ms !== undefined && round >= 0) times[index]?.push(ms);
  }
}
rmSync(scratch, { recursive: true });

console.log(`${'milliseconds'.padEnd(24)}    min  median     90%`);
for (const [index, [label]] of COMMANDS.entries()) {
  const sorted = (times[index] ?? []).sort((a, b) => a - b);
  const row = [0, 0.5, 0.9].map((fraction) => percentile(sorted, fraction)).join(' ');
  console.log(label.padEnd(23), sorted.length === 0 ? 'not installed' : row);
}
