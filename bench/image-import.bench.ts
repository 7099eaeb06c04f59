// How long an image takes to become a root file system that can be mounted: by hull, and by programs that write each
// of its files. bench/README.md explains the lines.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { mountImage } from '../image/mount/mount-image.ts';
import { openStore } from '../image/store/store.ts';
import { alternate, type Contestant, interruption } from './alternate.ts';
import { type Layout, makeLayout } from './image-layout.ts';
import { type Line, lines, printResults, printTable, results, type Target } from './report.ts';

const { values: options } = parseArgs({
  options: {
    image: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const HULL = join(import.meta.dirname, '../bin/hull');

const [IMPORT, TAR, UMOCI] = ['hull image import, mount', 'tar -xz', 'umoci unpack'] as const;
/** A part of the first. */
const MOUNT = 'the mount alone';
const TARGETS: readonly Target[] = [
  { label: IMPORT, of: TAR, max: 0.6 },
  { label: IMPORT, of: UMOCI, max: 0.35 },
];
const PEAK_MB_MAX = 200;

const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;
const signal = interruption();
const scratch = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'hull-bench-'));
const target = join(scratch, 'target');
const peaks = new Map<string, number>();

function shell(script: string, ...args: readonly string[]): readonly string[] {
  return ['sh', '-c', script, 'sh', ...args];
}

/** Runs a program to its end, and notes the memory of its largest process under `label`. @returns milliseconds */
function time(label: string, argv: readonly string[]): number {
  const peak = join(scratch, 'peak');
  const measured = existsSync('/usr/bin/time') ? ['/usr/bin/time', '-f', '%M', '-o', peak, ...argv] : argv;
  const [program = '', ...args] = measured;
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const milliseconds = performance.now() - start;
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with status ${status}:\n${stderr}`);
  if (measured !== argv) {
    const kilobytes = Number(readFileSync(peak, 'utf8'));
    peaks.set(label, Math.max(peaks.get(label) ?? 0, (kilobytes * 1024) / 1e6));
  }
  return milliseconds;
}

/** An empty directory to unpack into, with nothing left to write of what was there before. */
function prepare(): void {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { mode: 0o700 });
  execFileSync('sync');
}

const unpacking = (label: string, argv: readonly string[]): Contestant => ({
  label,
  run() {
    prepare();
    return time(label, argv);
  },
});

/** The mount is made here, as a runtime makes it: it is no work for a process of its own. */
async function mountTime(image: string): Promise<number> {
  const store = openStore(join(target, 'store'));
  const start = performance.now();
  const mounted = await mountImage(store, image, join(target, 'container'));
  const milliseconds = performance.now() - start;
  try {
    if (mounted.form !== 'mounted')
      throw new Error('this kernel cannot mount EROFS images: hull unpacked this one');
    if (readdirSync(mounted.rootfs).length === 0) throw new Error('the root file system is empty');
  } finally {
    mounted.unmount();
  }
  return milliseconds;
}

/** GNU tar knows no whiteouts; where a layer has a file for what was a directory, it says so (2) and goes on. */
const UNTAR = 'for layer; do tar -xzf "$layer" || test $? -eq 2 || exit; done 2>/dev/null';

function contestants({ directory, tag, layers }: Layout): Contestant[] {
  const mounts: number[] = [];
  const source = `oci:${directory}:${tag}`;
  const argv = [HULL, 'image', 'import', '--store', join(target, 'store'), '--name', 'bench', source];
  const hull: Contestant = {
    label: IMPORT,
    async run() {
      prepare();
      const imported = time(IMPORT, argv);
      const mounted = await mountTime('bench');
      mounts.push(mounted);
      return imported + mounted;
    },
  };
  return [
    hull,
    { label: MOUNT, run: () => mounts.at(-1) ?? Number.NaN },
    unpacking(TAR, shell(`cd "$1"; shift; ${UNTAR}`, target, ...layers)),
    ...(has('umoci')
      ? [unpacking(UMOCI, ['umoci', 'unpack', '--image', `${directory}:${tag}`, join(target, 'bundle')])]
      : []),
    unpacking('gzip -dc, no output', shell('gzip -dc "$@" >/dev/null', ...layers)),
  ];
}

async function main(): Promise<void> {
  const layout = await makeLayout(join(scratch, 'layout'), options.image);
  const all = contestants(layout);
  const times = await alternate(all, { rounds: Number(options.rounds), warmups: 1, signal });
  const table = all
    .map(({ label }) => label)
    .flatMap((label): Line[] => {
      const peakMb = peaks.get(label);
      if (peakMb === undefined) return lines(times, [label], label === MOUNT ? [] : [TAR, UMOCI]);
      return lines(times, [label], [TAR, UMOCI]).map((line) => ({ ...line, peakMb }));
    });
  const reached = results(times, TARGETS);
  const { layers, bytes } = layout;
  if (options.json) {
    console.log(
      JSON.stringify(
        { layers: layers.length, bytes, rounds: Number(options.rounds), table, targets: reached },
        null,
        2,
      ),
    );
    return;
  }
  printTable(`${layers.length} layers, ${(bytes / 1e6).toFixed(0)} MB; ms`, table, 0);
  printResults(reached);
  const peak = peaks.get(IMPORT);
  if (peak === undefined) console.log('/usr/bin/time is not installed: no peaks of memory');
  else
    console.log(
      `${IMPORT}: ${peak.toFixed(0)} MB at most; target ${PEAK_MB_MAX}: ${peak <= PEAK_MB_MAX ? 'met' : 'missed'}`,
    );
}

try {
  await main();
} finally {
  rmSync(scratch, { recursive: true });
}
