// Bundles hull into dist/: `node bin/build.mjs`, under the pinned Node, whose V8 writes the code caches.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';

const ROOT = dirname(import.meta.dirname);
const DIST = join(ROOT, 'dist');

/**
 * The programs, each with the command lines that its code cache is made from (bin/code-cache.cjs). ROOT stands for an
 * empty directory. They change nothing on this machine.
 */
const PROGRAMS = [
  {
    name: 'hull',
    source: 'runtime/cli/main.ts',
    frequent: [['--version'], ['--root', 'ROOT', '--log-format', 'json', 'state', 'none']],
  },
];

/** `new Worker(new URL('./vcpu-worker.ts', import.meta.url))`: in dist/, a bundle of its own. */
const WORKER = /new URL\('\.\/([a-z0-9-]+-worker)\.ts', import\.meta\.url\)/g;

/** Of this repository and no other that this directory may lie in; undefined in a copy without one. */
function commit() {
  const args = [
    `--git-dir=${ROOT}/.git`,
    `--work-tree=${ROOT}`,
    'describe',
    '--always',
    '--dirty',
    '--abbrev=12',
  ];
  const { stdout, status } = spawnSync('git', args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** Points worker URLs to their bundles, and notes their sources in `workers`. */
const workerUrls = (workers) => ({
  name: 'worker-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/, namespace: 'file' }, ({ path }) => {
      if (path.includes('/node_modules/')) return undefined;
      const contents = readFileSync(path, 'utf8').replace(WORKER, (_match, name) => {
        workers.add(join(dirname(path), `${name}.ts`));
        return `new URL('./${name}.cjs', import.meta.url)`;
      });
      return { contents, loader: 'ts' };
    });
  },
});

const commonOptions = (workers) => ({
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'cjs',
  // Half the bytes to read at start. Names stay, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
  // A script from node:vm has no import() of its own.
  supported: { 'dynamic-import': false },
  define: {
    'import.meta.main': 'false',
    'import.meta.dirname': '__dirname',
    'import.meta.filename': '__filename',
    'import.meta.url': '__bundleUrl',
    HULL_COMMIT: JSON.stringify(commit()),
  },
  plugins: [workerUrls(workers)],
});

const URL_OF_BUNDLE = 'const __bundleUrl=require("node:url").pathToFileURL(__filename).href;';

async function bundleProgram({ name, source }, directory) {
  const workers = new Set();
  await build({
    ...commonOptions(workers),
    entryPoints: [source],
    outfile: join(directory, `${name}.cjs`),
    banner: { js: `(function(exports,require,module,__filename,__dirname){${URL_OF_BUNDLE}` },
    footer: { js: '})' },
  });
  return workers;
}

async function bundleWorkers(sources, directory) {
  const nested = new Set();
  for (const source of sources) {
    await build({
      ...commonOptions(nested),
      entryPoints: [source],
      outfile: join(directory, `${basename(source, '.ts')}.cjs`),
      banner: { js: URL_OF_BUNDLE },
    });
  }
}

/** The frequent command lines, run by the Node that this is: the cache is for its V8 and no other. */
function writeCodeCache({ name, frequent }) {
  const empty = mkdtempSync(join(tmpdir(), 'hull-build-'));
  try {
    const lines = frequent.map((args) => args.map((arg) => (arg === 'ROOT' ? empty : arg)));
    const script = join(import.meta.dirname, 'code-cache.cjs');
    const args = ['--disable-warning=ExperimentalWarning', script, name, JSON.stringify(lines)];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: 'pipe' });
    if (status !== 0) throw new Error(`cannot make the code cache of ${name}: ${stderr}`);
  } finally {
    rmSync(empty, { recursive: true });
  }
}

const fresh = join(ROOT, `.dist-${process.pid}`);
mkdirSync(fresh);
try {
  const workers = new Set();
  for (const program of PROGRAMS) {
    for (const worker of await bundleProgram(program, fresh)) workers.add(worker);
  }
  await bundleWorkers(workers, fresh);
  rmSync(DIST, { recursive: true, force: true });
  renameSync(fresh, DIST);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
for (const program of PROGRAMS) writeCodeCache(program);
