// Locks that die with their holder: flock(2) on files of the store, never a pid in a file.
import { openSync } from 'node:fs';
import { LOCK_EX, LOCK_NB, LOCK_SH } from '../../sys/abi/constants.ts';
import { errnoNumber, SysError } from '../../sys/errno.ts';
import { Fd } from '../../sys/fd.ts';
import { syscallInThread, trySyscall } from '../../sys/syscall.ts';

export type LockMode = 'shared' | 'exclusive';

const OPERATION: Readonly<Record<LockMode, number>> = { shared: LOCK_SH, exclusive: LOCK_EX };

/** Held until disposed, or until the process ends, however it ends. */
export class Lock implements Disposable {
  readonly #file: Fd;

  private constructor(file: Fd) {
    this.#file = file;
  }

  /** Waits for the lock, without stopping this process's other work. */
  static async acquire(path: string, mode: LockMode): Promise<Lock> {
    const held = Lock.tryAcquire(path, mode);
    if (held !== undefined) return held;
    const file = openLockFile(path);
    try {
      for (;;) {
        const result = await syscallInThread('flock', file.number, OPERATION[mode]);
        if (result >= 0) return new Lock(file);
        if (result !== -errnoNumber('EINTR')) throw new SysError('flock', -result, path);
      }
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  /** Or undefined when another holds it. */
  static tryAcquire(path: string, mode: LockMode): Lock | undefined {
    const file = openLockFile(path);
    const result = trySyscall('flock', file.number, OPERATION[mode] | LOCK_NB);
    if (result >= 0) return new Lock(file);
    file[Symbol.dispose]();
    if (result === -errnoNumber('EAGAIN')) return undefined;
    throw new SysError('flock', -result, path);
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

const openLockFile = (path: string): Fd => new Fd(openSync(path, 'a', 0o600));
