// Removing a container, and what is left of one.
import { removeCgroup } from '../cgroups/cgroup.ts';
import type { Hook } from '../spec/config/hooks.ts';
import { isErrno } from '../sys/errno.ts';
import { type Container, killAll, loadContainer } from './container.ts';
import { specState } from './container-state.ts';
import { explain, RuntimeError } from './errors.ts';
import { runHooks } from './hooks.ts';
import { hostHierarchy, removeNotedCgroup } from './host-cgroups.ts';
import { isAlive } from './process-identity.ts';
import type { SavedState, StateDirectory, StateStore } from './state-store.ts';

/** runc's: 100 times 100 ms. */
const DEATH_TIMEOUT_MS = 10_000;
const DEATH_POLL_MS = 5;

export interface DeleteOptions {
  readonly force: boolean;
  /** The standard: a poststop hook that fails is worth a warning, and nothing stops for it. */
  warn(message: string): void;
}

/** @throws {RuntimeError} runc's texts */
export async function deleteContainer(store: StateStore, id: string, options: DeleteOptions): Promise<void> {
  using directory = openForDelete(store, id, options.force);
  if (directory === undefined) return;
  const container = await loadForDelete(store, id, directory, options.force);
  if (container === undefined) {
    await removeUnknown(directory);
    return;
  }
  const { saved, status } = container;
  if (status !== 'stopped') {
    if (status !== 'created' && !options.force) {
      throw new RuntimeError('NOT_STOPPED', `cannot delete container ${id} that is not stopped: ${status}`);
    }
    await killAll(saved);
    await awaitDeath(saved);
  }
  await destroy(saved, directory, options.warn);
}

function openForDelete(store: StateStore, id: string, force: boolean): StateDirectory | undefined {
  try {
    return store.open(id);
  } catch (error) {
    if (force && error instanceof RuntimeError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** undefined: there is nothing to know about it, only a directory to remove. */
async function loadForDelete(
  store: StateStore,
  id: string,
  directory: StateDirectory,
  force: boolean,
): Promise<Container | undefined> {
  try {
    return loadContainer(store, id);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    if (force) return undefined;
    // A creation that died before it wrote anything: nothing else will ever remove it. runc does the same.
    if (error.code === 'NOT_FOUND') await removeUnknown(directory);
    throw error;
  }
}

async function removeUnknown(directory: StateDirectory): Promise<void> {
  const cgroup = directory.notedCgroup();
  if (cgroup !== undefined) await removeNotedCgroup(cgroup, directory.hasConfig());
  directory.remove();
}

async function awaitDeath(saved: SavedState): Promise<void> {
  const deadline = Date.now() + DEATH_TIMEOUT_MS;
  while (saved.process !== undefined && isAlive(saved.process)) {
    if (Date.now() > deadline) throw new RuntimeError('STILL_RUNNING', 'container init still running');
    await new Promise((resolve) => setTimeout(resolve, DEATH_POLL_MS));
  }
}

/** The same at the end of a `run`, during which somebody else may have deleted the container. */
export async function destroyIfThere(
  store: StateStore,
  saved: SavedState,
  warn: (message: string) => void,
): Promise<void> {
  using directory = openForDelete(store, saved.id, true);
  if (directory === undefined || !isSame(directory, saved)) return;
  await destroy(saved, directory, warn);
}

/** The name may have been given to another container since. */
function isSame(directory: StateDirectory, saved: SavedState): boolean {
  const current = directory.read();
  return current.created === saved.created && current.process?.pid === saved.process?.pid;
}

/** Takes away everything that create made: remaining processes, cgroup, state; then the poststop hooks. */
export async function destroy(
  saved: SavedState,
  directory: StateDirectory,
  warn: (message: string) => void,
): Promise<void> {
  const host = hostHierarchy();
  if (!saved.ownPidNamespace || saved.process === undefined) await killAll(saved);
  if (host !== undefined && saved.cgroup !== undefined) await removeCgroup(host, saved.cgroup);
  const hooks = await readHooks(directory);
  if (saved.launched !== undefined) {
    const { removeLaunched } = await import('./launched.ts');
    removeLaunched(saved.launched);
  }
  directory.remove();
  const context = { state: JSON.stringify(specState(saved, 'stopped', 0)), cwd: saved.bundle };
  for (const [index, hook] of (hooks ?? []).entries()) {
    try {
      await runHooks('poststop', [hook], context);
    } catch (error) {
      warn(explain(error).replace('hook #0', `hook #${index}`));
    }
  }
}

async function readHooks(directory: StateDirectory): Promise<readonly Hook[] | undefined> {
  try {
    const text = directory.readConfig();
    // Most configs have no hook, and a search is a thousand times cheaper than reading the config again.
    if (!text.includes('"poststop"')) return undefined;
    const { parseConfig } = await import('../spec/validate.ts');
    return parseConfig(text).hooks?.poststop;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
