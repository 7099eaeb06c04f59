// The state directory: <root>/<id>/ holds state.json, config.json and, between create and start, the exec fifo.
// Private to its owner (rule D22), every file replaced as a whole.
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { SavedCgroup } from '../cgroups/cgroup.ts';
import { LOCK_EX, LOCK_UN } from '../sys/abi/constants.ts';
import { isErrno } from '../sys/errno.ts';
import { Fd } from '../sys/fd.ts';
import { syscall } from '../sys/syscall.ts';
import { RuntimeError } from './errors.ts';
import type { ProcessIdentity } from './process-identity.ts';

const STATE_VERSION = 1;
/** A state is a few KB; what is larger is not ours. */
const STATE_BYTES_MAX = 8 * 1024 * 1024;

/** A step of the plan that runs after `create` has ended, so that `start` can name it. */
export interface LateStep {
  readonly label: string;
  readonly failure?: string;
}

/** What `launch` made beside the container. */
export interface Launched {
  readonly storeRoot: string;
  /** The bundle, with the mounted root file system. */
  readonly directory: string;
}

export interface SavedState {
  readonly version: typeof STATE_VERSION;
  readonly id: string;
  /** Absolute. */
  readonly bundle: string;
  readonly rootfs: string;
  /** RFC 3339, UTC. */
  readonly created: string;
  readonly owner: number;
  /** Absent while the container is being created. */
  readonly process?: ProcessIdentity;
  readonly cgroup?: SavedCgroup;
  /** The container's processes end with its first one: it is pid 1 of a namespace of its own. */
  readonly ownPidNamespace: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ociVersion: string;
  /** It was made by `launch`, which also made its bundle. */
  readonly launched?: Launched;
  readonly late?: { readonly first: number; readonly steps: readonly LateStep[] };
}

const ID = /^[A-Za-z0-9_+.-]{1,1024}$/;

/** @throws {RuntimeError} runc's text */
export function checkId(id: string): void {
  if (!ID.test(id) || id === '.' || id === '..') {
    throw new RuntimeError('INVALID_ID', 'invalid container ID format', {
      hint: 'an id has letters, digits and _ + . - only',
    });
  }
}

export class StateStore {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** Makes the directory where it is missing. @throws {RuntimeError} when others could write to it */
  static open(root: string): StateStore {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const stat = lstatSync(root);
    const uid = process.geteuid?.() ?? 0;
    if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o022) !== 0) {
      throw new RuntimeError(
        'UNSAFE_ROOT',
        `cannot use the state directory ${JSON.stringify(root)}: it has to be a directory of user ${uid} that nobody else may write to`,
      );
    }
    return new StateStore(root);
  }

  directory(id: string): string {
    checkId(id);
    return join(this.root, id);
  }

  /** The directory of a new container, locked. @throws {RuntimeError} when the id is taken */
  create(id: string): StateDirectory {
    const path = this.directory(id);
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      throw new RuntimeError('EXISTS', 'container with given ID already exists');
    }
    return new StateDirectory(path);
  }

  /** @throws {RuntimeError} when there is no such container */
  open(id: string): StateDirectory {
    const path = this.directory(id);
    try {
      return new StateDirectory(path);
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
      throw new RuntimeError('NOT_FOUND', 'container does not exist');
    }
  }

  has(id: string): boolean {
    return existsSync(this.directory(id));
  }

  /** What has been saved, without waiting for anyone. @throws {RuntimeError} when there is no such container */
  read(id: string): SavedState {
    return readState(this.directory(id));
  }

  /** Ids of all containers, in the order of their names. */
  ids(): string[] {
    return readdirSync(this.root)
      .filter((name) => ID.test(name))
      .sort();
  }
}

/** One container's directory, with the lock that every change of its state holds. */
export class StateDirectory implements Disposable {
  readonly path: string;
  readonly #fd: Fd;

  constructor(path: string) {
    this.path = path;
    this.#fd = new Fd(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW));
    syscall('flock', this.#fd.number, LOCK_EX);
    // While we waited its owner may have removed it, and another may have taken its place.
    if (fstatSync(this.#fd.number).nlink === 0) {
      this[Symbol.dispose]();
      throw new RuntimeError('NOT_FOUND', 'container does not exist');
    }
  }

  /** Others may change the state from here on. */
  unlock(): void {
    syscall('flock', this.#fd.number, LOCK_UN);
  }

  get fifo(): string {
    return join(this.path, 'exec.fifo');
  }

  read(): SavedState {
    return readState(this.path);
  }

  save(state: SavedState): void {
    const temporary = join(this.path, 'state.json.new');
    writeFileSync(temporary, JSON.stringify(state), { mode: 0o600 });
    renameSync(temporary, join(this.path, 'state.json'));
  }

  /** The container's own copy: later changes of the bundle's file have no effect. */
  saveConfig(text: Uint8Array): void {
    writeFileSync(join(this.path, 'config.json'), text, { mode: 0o600, flag: 'wx' });
  }

  /** The cgroup that is about to be made, as a symlink's text: one system call, whole or not there at all. */
  noteCgroup(path: string): void {
    symlinkSync(path, join(this.path, 'cgroup'));
  }

  notedCgroup(): string | undefined {
    try {
      return readlinkSync(join(this.path, 'cgroup'));
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'EINVAL')) return undefined;
      throw error;
    }
  }

  /** The creation had come so far that the cgroup was the container's alone. */
  hasConfig(): boolean {
    return existsSync(join(this.path, 'config.json'));
  }

  readConfig(): Buffer {
    return readFileSync(join(this.path, 'config.json'));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}

function readState(directory: string): SavedState {
  const path = join(directory, 'state.json');
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) throw new RuntimeError('NOT_FOUND', 'container does not exist');
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > STATE_BYTES_MAX) throw new Error('not a state file');
    return checkState(JSON.parse(readFileSync(fd, 'utf8')));
  } catch (error) {
    throw new RuntimeError('BAD_STATE', `cannot read the state ${JSON.stringify(path)}`, {
      cause: error,
      hint: 'hull delete --force removes the container',
    });
  } finally {
    closeSync(fd);
  }
}

function checkState(value: unknown): SavedState {
  const state = value as Partial<SavedState> | null;
  if (typeof state !== 'object' || state?.version !== STATE_VERSION) throw new Error('unknown version');
  const { process, cgroup } = state;
  const isProcess = process === undefined || [process.pid, process.startTime].every(Number.isSafeInteger);
  const isCgroup = cgroup === undefined || (typeof cgroup.path === 'string' && Array.isArray(cgroup.made));
  if (typeof state.id !== 'string' || typeof state.bundle !== 'string' || !isProcess || !isCgroup) {
    throw new Error('properties are missing');
  }
  if (process !== undefined && process.pid < 1) throw new Error('the pid is not a pid');
  return state as SavedState;
}
