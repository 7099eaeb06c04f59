// node_modules as package-lock.json wants it, and the Node in it.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const ROOT = dirname(import.meta.dirname);
const MODULES = join(ROOT, 'node_modules');

const readLock = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

/** npm keeps a copy of the lock file of what it installed. Dates say nothing: git gives every checkout new ones. */
function isInstalled() {
  const record = join(MODULES, '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = readLock(record);
  return Object.entries(readLock(join(ROOT, 'package-lock.json'))).every(([path, wanted]) => {
    if (path === '') return true;
    const found = installed[path];
    return found === undefined ? wanted.optional === true : found.version === wanted.version;
  });
}

/** `npm ci`, unless nothing would change. */
export function ensureModules() {
  if (isInstalled()) return;
  if (existsSync(MODULES) && lstatSync(MODULES).isSymbolicLink()) {
    console.error(
      'node_modules is a symbolic link to modules other than package-lock.json names; run npm ci there',
    );
    process.exit(1);
  }
  console.log('Installing npm packages (npm ci)');
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const { status, error } = spawnSync('npm', [...args, '--loglevel=error'], { cwd: ROOT, stdio: 'inherit' });
  if (status === 0) return;
  console.error(`npm ci failed${error === undefined ? '' : `: ${error.message}`}`);
  process.exit(1);
}

/** The pinned Node, once it has been seen to run. */
export function pinnedNode() {
  const node = join(MODULES, `node-linux-${process.arch}`, 'bin', 'node');
  const { status, stderr, error } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (status === 0) return node;
  console.error(`the pinned Node does not run: ${error?.message ?? stderr.trim()}`);
  process.exit(1);
}
