// What `launch` makes beside a container, and how it goes away with it.
import {
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { unmountImage } from '../image/mount/mount-image.ts';
import { openStore, type Store } from '../image/store/store.ts';
import { LOCK_EX, LOCK_NB } from '../sys/abi/constants.ts';
import { isErrno } from '../sys/errno.ts';
import { Fd } from '../sys/fd.ts';
import { syscall } from '../sys/syscall.ts';
import type { Launched } from './state-store.ts';

/** Names the container's state directory: a store serves every --root, and the same name may be taken in another. */
const STATE_LINK = 'state';

/** Takes down what launch made for a container, in whatever state it was left; may be repeated. */
export function removeLaunched({ storeRoot, directory }: Launched): void {
  removeContainerDirectory(openStore(storeRoot), directory);
}

function removeContainerDirectory(store: Store, directory: string): void {
  unmountImage(store, directory);
  rmSync(directory, { recursive: true, force: true });
}

/**
 * Makes the directory of a new container, empty: what a crash or a reboot left of one that is gone goes. Undefined
 * when the name is another container's, or another launch is about to make it one's.
 */
export function claimContainerDirectory(
  store: Store,
  directory: string,
  stateDirectory: string,
): Claim | undefined {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  using stack = new DisposableStack();
  const lock = stack.use(lockDirectory(directory));
  if (lock === undefined || existsSync(join(directory, STATE_LINK))) return undefined;
  unmountImage(store, directory);
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
  symlinkSync(resolve(stateDirectory), join(directory, STATE_LINK));
  stack.move();
  return new Claim(store, directory, lock);
}

/** Undefined when somebody has it, or has just removed it. */
function lockDirectory(directory: string): Fd | undefined {
  try {
    using stack = new DisposableStack();
    const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
    const fd = stack.use(new Fd(openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)));
    syscall('flock', fd.number, LOCK_EX | LOCK_NB);
    if (fstatSync(fd.number).ino !== statSync(directory).ino) return undefined;
    stack.move();
    return fd;
  } catch (error) {
    if (isErrno(error, 'EAGAIN', 'ENOENT')) return undefined;
    throw error;
  }
}

/** The directory of a container, ours alone until the end of the scope; it goes then, unless it is to be kept. */
class Claim implements Disposable {
  readonly #store: Store;
  readonly #directory: string;
  readonly #lock: Fd;
  #kept = false;

  constructor(store: Store, directory: string, lock: Fd) {
    this.#store = store;
    this.#directory = directory;
    this.#lock = lock;
  }

  keep(): void {
    this.#kept = true;
  }

  [Symbol.dispose](): void {
    using lock = this.#lock;
    // A delete from outside may have removed it already, and the name may be another container's since.
    if (!this.#kept && fstatSync(lock.number).nlink > 0)
      removeContainerDirectory(this.#store, this.#directory);
  }
}
