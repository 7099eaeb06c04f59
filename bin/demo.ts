// `npm run demo`: hull's commands, one after another, as a user would type them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Each line is typed in one directory, empty at first. `fails`: hull is right to refuse it. */
interface Step {
  readonly say: string;
  readonly type: string;
  readonly fails?: boolean;
}

const STEPS: readonly Step[] = [
  { say: 'Which hull is this, on which Node?', type: 'hull --version' },
  { say: 'A configuration to start from', type: 'hull spec && head -n 12 config.json' },
  { say: 'What is there already is not overwritten', type: 'hull spec', fails: true },
];

const scratch = mkdtempSync(join(tmpdir(), 'hull-demo-'));
const env = { ...process.env, PATH: [import.meta.dirname, process.env.PATH].join(delimiter) };

function show({ say, type, fails = false }: Step): boolean {
  console.log(`\n# ${say}\n$ ${type}`);
  const { status } = spawnSync('sh', ['-c', type], {
    cwd: scratch,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if ((status !== 0) === fails) return true;
  console.error(`\n"${type}" ended with status ${status}`);
  return false;
}

process.exitCode = STEPS.every(show) ? 0 : 1;
rmSync(scratch, { recursive: true });
