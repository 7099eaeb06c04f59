// How long a layer takes to unpack: to one image by hull, to files by others. All in turn, on a tmpfs.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

const ROUNDS = 5;
/** What every Debian has, tens of thousands of small files and some large ones. */
const FOLDERS = ['usr/share', 'usr/lib/python3', 'usr/include'].filter((folder) => existsSync(`/${folder}`));

const scratch = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'hull-bench-'));
const blob = join(scratch, 'layer.tar.gz');
const target = join(scratch, 'target');

execFileSync('tar', ['-czf', blob, '-C', '/', ...FOLDERS]);
const hash = createHash('sha256');
await pipeline(createReadStream(blob), createGunzip(), hash);
const diffId = `sha256:${hash.digest('hex')}`;

const hull = [
  process.execPath,
  join(import.meta.dirname, 'build-layer.ts'),
  blob,
  join(target, 'image'),
  diffId,
];

// biome-ignore format: a table
const PROGRAMS: readonly (readonly [label: string, argv: readonly string[]])[] = [
  ['hull, diffID verified', hull],
  ['GNU tar',               ['tar', '-xzf', blob, '-C', target]],
  ['gzip -dc, no output',   ['sh', '-c', `gzip -dc ${blob} >/dev/null`]],
];

/** Seconds, and what the program printed. */
function run([program = '', ...args]: readonly string[]): { seconds: number; output: string } {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  const start = performance.now();
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} failed`);
  return { seconds: (performance.now() - start) / 1000, output: stdout };
}

try {
  const times = PROGRAMS.map((): number[] => []);
  let peak = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, [, argv]] of PROGRAMS.entries()) {
      const { seconds, output } = run(argv);
      times[index]?.push(seconds);
      if (argv === hull) peak = Math.max(peak, Number(output));
    }
  }
  console.log(
    `a layer of ${(statSync(blob).size / 1e6).toFixed(0)} MB; hull's memory had a peak of ${peak} MB\n`,
  );
  console.log(`${'seconds'.padEnd(24)}    min  median`);
  for (const [index, [label]] of PROGRAMS.entries()) {
    const sorted = (times[index] ?? []).sort((a, b) => a - b);
    const row = [sorted[0], sorted[Math.floor(ROUNDS / 2)]].map((s) => s?.toFixed(2).padStart(7)).join(' ');
    console.log(label.padEnd(23), row);
  }
} finally {
  rmSync(scratch, { recursive: true });
}
