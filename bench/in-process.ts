// Containers made by one process, through the functions that `hull run` calls: what container-life.bench.ts runs and
// times. Each line of input is a number of containers; each line of output, the milliseconds that they took.
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { loadBundle } from '../runtime/bundle.ts';
import { type RunOptions, runContainer } from '../runtime/run.ts';
import { StateStore } from '../runtime/state-store.ts';

const [directory = '', root = '', id = ''] = process.argv.slice(2);
const store = StateStore.open(root);
const bundle = loadBundle(directory);

const OPTIONS: RunOptions = {
  detach: false,
  keep: false,
  pidFile: undefined,
  consoleSocket: undefined,
  preserveFds: 0,
  listenFds: 0,
  newKeyring: true,
  rootless: false,
  openFilesLimit: undefined,
  stdin: 'inherit',
  warn: (message) => console.error(message),
  caller: () => ({ input: process.stdin, output: process.stdout, error: process.stderr }),
};

/** create, start, wait, delete. */
async function live(): Promise<void> {
  const status = await runContainer(store, id, bundle, OPTIONS);
  if (status !== 0) throw new Error(`the container ended with status ${status}`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const start = performance.now();
  for (let left = Number(line); left > 0; left--) await live();
  console.log(performance.now() - start);
}
