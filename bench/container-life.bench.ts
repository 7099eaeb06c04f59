// How long a container lives that does nothing: made, run and removed by hull, by others, and by a C program that does
// only what the kernel has to be asked for. bench/README.md explains the lines.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findHierarchy } from '../cgroups/hierarchy.ts';
import { type Alternation, alternate, type Contestant, interruption, type Times } from './alternate.ts';
import { ContainerScratch } from './container-scratch.ts';
import { LineServer } from './line-server.ts';
import { lines, printResults, printTable, results, type Target } from './report.ts';
import { openWithoutUnified } from './without-unified.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    batch: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});
const BATCH = Number(options.batch);
const HULL = join(import.meta.dirname, '../bin/hull');
const ID = `hull-bench-${process.pid}`;

const TARGETS: readonly Target[] = [
  { label: 'hull run', of: 'runc run', max: 1.3 },
  { label: 'hull, in one process', of: 'floor, in one process', max: 1.5 },
];

const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;
const firstLine = (...argv: [string, ...string[]]): string =>
  execFileSync(argv[0], argv.slice(1), { encoding: 'utf8' }).split('\n')[0] ?? '';

const found = findHierarchy();
if (found === undefined) throw new Error('cannot find a cgroup2 hierarchy: none is mounted');
const { mountPoint, layout } = found;

using cleanup = new DisposableStack();
const scratch = cleanup.use(new ContainerScratch());
const alternation: Alternation = { rounds: Number(options.rounds), warmups: 3, signal: interruption() };
const notes: string[] = [];

/** The command line of a runtime with a state directory of its own. */
const runtime = (program: string, prefix: readonly string[] = []): readonly string[] => [
  ...prefix,
  program,
  '--root',
  join(scratch.state, program === HULL ? 'hull' : program),
];
const floorArguments = (count: number): string[] => scratch.floorArguments(mountPoint, `${ID}-floor`, count);
const timed = (label: string, argv: readonly string[]): Contestant => ({
  label,
  run: () => scratch.time(argv),
});
const run = (label: string, argv: readonly string[]): Contestant =>
  timed(label, [...argv, 'run', '--bundle', scratch.bundle, ID]);

/** The state of a container that waits for its start, until the end of the benchmark. */
function state(label: string, argv: readonly string[]): Contestant {
  const id = `${ID}-${label.replace(' ', '-')}`; // of each its own: a cgroup has its name
  scratch.time([...argv, 'create', '--bundle', scratch.bundle, id]);
  cleanup.defer(() => scratch.time([...argv, 'delete', '--force', id]));
  return timed(label, [...argv, 'state', id]);
}

async function crun(): Promise<Contestant[]> {
  if (!has('crun')) return [];
  if (layout === 'unified') return [run('crun run', runtime('crun'))];
  const { prefix } = cleanup.use(await openWithoutUnified(mountPoint));
  notes.push(
    `crun before 1.9 refuses this host's hybrid cgroups: it ran under nsenter, in a mount namespace without ${mountPoint}`,
  );
  return [run('crun run', runtime('crun', prefix)), timed('nsenter alone', [...prefix, 'true'])];
}

function missing(...programs: readonly string[]): void {
  for (const program of programs) notes.push(`${program} is not installed, and its lines are missing`);
}

async function wholeProcesses(floor: string | undefined): Promise<Times> {
  const empty = scratch.path('empty.cjs');
  writeFileSync(empty, '');
  const hull = runtime(HULL);
  const runc = has('runc') ? runtime('runc') : undefined;
  const contestants = [
    ...(floor === undefined ? [] : [timed('floor', [floor, ...floorArguments(1)])]),
    run('hull run', hull),
    ...(runc === undefined ? [] : [run('runc run', runc)]),
    ...(await crun()),
    timed('node alone', [process.execPath, empty]),
    timed('hull --version', [HULL, '--version']),
    state('hull state', hull),
    ...(runc === undefined ? [] : [state('runc state', runc)]),
  ];
  return await alternate(contestants, alternation);
}

/** Milliseconds for each of a batch of containers, one after another. */
async function oneProcess(floor: string | undefined): Promise<Times> {
  const child = [process.execPath, '--disable-warning=ExperimentalWarning'];
  const program = join(import.meta.dirname, 'in-process.ts');
  using server = new LineServer([...child, program, scratch.bundle, join(scratch.state, 'hull'), ID]);
  const contestants: Contestant[] = [
    {
      label: 'hull, in one process',
      run: async () => Number(await server.ask(String(BATCH))) / BATCH,
    },
  ];
  if (floor !== undefined) {
    const argv = floorArguments(BATCH);
    const runFloor = (): number => Number(execFileSync(floor, argv, { encoding: 'utf8' })) / BATCH;
    contestants.unshift({ label: 'floor, in one process', run: runFloor });
  }
  return await alternate(contestants, alternation);
}

function machine(): Record<string, string> {
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  const versions = [HULL, 'runc', 'crun'].filter(has).map((program) => firstLine(program, '--version'));
  return {
    processor: model,
    kernel: firstLine('uname', '-sr'),
    node: process.version,
    runtimes: versions.join(', '),
  };
}

async function main(): Promise<void> {
  const floor = scratch.buildFloor();
  missing(...['runc', 'crun', 'gcc'].filter((program) => !has(program)));
  const whole = await wholeProcesses(floor);
  const one = await oneProcess(floor);
  const times: Times = new Map([...whole, ...one]);
  const tables = {
    life: lines(times, ['floor', 'hull run', 'runc run', 'crun run'], ['runc run', 'floor']),
    parts: lines(
      times,
      ['node alone', 'hull --version', 'hull state', 'runc state', 'nsenter alone'],
      ['runc state', 'node alone'],
    ),
    oneProcess: lines(times, ['floor, in one process', 'hull, in one process'], ['floor, in one process']),
  };
  const reached = results(times, TARGETS);
  if (options.json) {
    console.log(
      JSON.stringify(
        { machine: machine(), rounds: alternation.rounds, tables, targets: reached, notes },
        null,
        2,
      ),
    );
    return;
  }
  printTable('one container, ms', tables.life, 1);
  printTable('other commands, ms', tables.parts, 1);
  printTable(`each of ${BATCH} containers, ms`, tables.oneProcess, 2);
  printResults(reached);
  for (const note of notes) console.log(note);
}

await main();
