// The store's directories: what lies where, and who may touch it when.
import { closeSync, constants, fstatSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { isErrno } from '../../sys/errno.ts';
import { ImageError } from '../error.ts';
import { Lock, type LockMode } from './lock.ts';

/**
 * Everything is private to its user: layers hold set-user-id programs and device nodes that other users of this
 * machine must not reach (CVE-2021-41091).
 */
const DIRECTORY_MODE = 0o700;
const OTHERS_ANYTHING = 0o077;
const OTHERS_WRITE = 0o022;

/** Below `<root>/image`. */
// biome-ignore format: a table
const DIRECTORIES = {
  layers:  'layers',   // <algorithm>/<hex>.erofs and .json by diffID: what several images share
  chains:  'chains',   // the same by chain ID: layers that mean something else on each base
  trees:   'trees',    // <algorithm>/<hex>/ by chain ID: whole roots, for kernels that cannot mount layers
  images:  'images',   // <name>.json
  leases:  'leases',   // <key>.json: what a container stands on
  staging: 'staging',  // whatever is not finished
} as const;

export type StoreDirectory = keyof typeof DIRECTORIES;

/**
 * Who adds to the store holds its lock shared; who collects garbage holds it alone. So whatever a collector finds
 * in `staging`, or unreferenced, belongs to nobody who still lives.
 */
const LOCK_FILE = 'lock';

export class Store {
  /** `<root>/image` */
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  directory(name: StoreDirectory): string {
    return path.join(this.path, DIRECTORIES[name]);
  }

  lock(mode: LockMode): Promise<Lock> {
    return Lock.acquire(path.join(this.path, LOCK_FILE), mode);
  }

  tryLock(mode: LockMode): Lock | undefined {
    return Lock.tryAcquire(path.join(this.path, LOCK_FILE), mode);
  }
}

/**
 * Opens the store below `root` (`/var/lib/hull`, or `$XDG_DATA_HOME/hull` for other users), made if it is missing.
 * @throws {ImageError} when the directory is not this user's own.
 */
export function openStore(root: string): Store {
  try {
    mkdirSync(root, { recursive: true, mode: DIRECTORY_MODE });
    // An administrator may have put the root elsewhere with a link; from here on there are none.
    const realRoot = realpathSync(root);
    requireOwn(realRoot, OTHERS_WRITE);
    const store = new Store(path.join(realRoot, 'image'));
    for (const directory of [
      store.path,
      ...Object.values(DIRECTORIES).map((name) => path.join(store.path, name)),
    ]) {
      makeDirectory(directory);
      requireOwn(directory, OTHERS_ANYTHING);
    }
    return store;
  } catch (error) {
    if (error instanceof ImageError) throw error;
    throw new ImageError('STORE', `cannot open image store below "${root}"`, { cause: error });
  }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: DIRECTORY_MODE });
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

/** Refuses a directory that others own or, by the bits of `forbiddenMode`, get into. @throws {ImageError} */
export function requireOwn(directory: string, forbiddenMode: number, what = 'image store'): void {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const fd = openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const { uid, mode } = fstatSync(fd);
    const euid = process.geteuid?.();
    if (uid !== euid) {
      throw new ImageError(
        'STORE',
        `cannot use ${what} "${directory}": it belongs to user ${uid}, not ${euid}`,
      );
    }
    if ((mode & forbiddenMode) !== 0) {
      const octal = (mode & 0o7777).toString(8).padStart(4, '0');
      throw new ImageError('STORE', `cannot use ${what} "${directory}": mode ${octal} lets other users in`);
    }
  } finally {
    closeSync(fd);
  }
}
