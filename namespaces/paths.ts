// Steps that resolve and create paths inside a root: every name is looked up with openat2 from the root's descriptor,
// so that no symlink leads out of it, whoever swaps it when (rules D1 and D3).
import {
  O_CLOEXEC,
  O_CREAT,
  O_PATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from '../sys/abi/constants.ts';
import { O_DIRECTORY } from '../sys/abi/fcntl.ts';
import { open_how } from '../sys/abi/structs.ts';
import {
  type Block,
  block,
  cString,
  type Operand,
  type Program,
  type Slot,
  slot,
} from '../sys/plan/program.ts';
import type { Base } from './base.ts';

export const IN_ROOT = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
export const IN_ROOT_WITHOUT_SYMLINKS = IN_ROOT | RESOLVE_NO_SYMLINKS;

/** What a container's mount points and directories get, as runc makes them. */
const CREATED_MODE = 0o755;

const hows = new Map<string, Block>();

/** struct open_how, O_CLOEXEC included; one block for each combination. */
export function openHow(flags: number, resolve: number, mode = 0): Block {
  const key = `${flags}:${resolve}:${mode}`;
  let how = hows.get(key);
  if (how === undefined) {
    const values = { flags: BigInt(flags | O_CLOEXEC), mode: BigInt(mode), resolve: BigInt(resolve) };
    how = block('open_how', open_how.encode(values));
    hows.set(key, how);
  }
  return how;
}

export interface OpenOptions {
  readonly flags: number;
  readonly resolve?: number;
  readonly mode?: number;
  readonly on?: Partial<Record<'ENOENT' | 'ELOOP' | 'EACCES' | 'ENOTDIR' | 'any', string>>;
  readonly failure?: string;
}

/** openat2 of a path; a lookup that raced with a rename (EAGAIN) is done again. */
export function openAt(
  p: Program,
  label: string,
  dir: Operand,
  path: string,
  into: Slot,
  options: OpenOptions,
): void {
  const { flags, resolve = IN_ROOT, mode = 0, on = {}, failure } = options;
  const again = p.fresh('again');
  p.mark(again);
  p.call(label, 'openat2', [dir, cString(path), openHow(flags, resolve, mode), open_how.size], {
    into,
    on: { EAGAIN: again, ...on },
    ...(failure === undefined ? {} : { failure }),
  });
}

export function close(p: Program, fd: Slot): void {
  p.call(`close ${fd.name}`, 'close', [fd], { ignore: ['EBADF'] });
}

/** The components of a destination; `..` at the top stays there, as in a chroot. */
export function components(destination: string): string[] {
  const out: string[] = [];
  for (const part of destination.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') out.pop();
    else out.push(part);
  }
  return out;
}

/** An absolute path without `.`, `..` and doubled slashes. */
export const cleanPath = (destination: string): string => `/${components(destination).join('/')}`;

export interface EnsureOptions {
  readonly kind: 'directory' | 'file';
  readonly resolve?: number;
  /** Replaces the error when a symlink stands where none may. */
  readonly symlinkFailure?: string;
}

/**
 * Opens the path of `base` as O_PATH into `into`; what is missing of it is created, component by component.
 * A directory is always opened anew after it was made: what stands there by then is what is checked and used.
 */
export function ensurePath(p: Program, base: Base, into: Slot, options: EnsureOptions): void {
  const names = components(base.path);
  const path = names.join('/');
  const { kind, resolve = IN_ROOT, symlinkFailure } = options;
  const label = `open "${base.at}/${path}" in the container`;
  const how = {
    flags: kind === 'directory' ? O_PATH | O_DIRECTORY : O_PATH,
    resolve,
    ...(symlinkFailure === undefined ? {} : { failure: symlinkFailure }),
  };
  const open = (on: OpenOptions['on'] = {}): void =>
    openAt(p, label, base.from, path || '.', into, { ...how, on });
  if (base.contents === 'fixed' || path === '') {
    open();
    return;
  }
  if (base.contents === 'empty') {
    createPath(p, base, names, kind, resolve);
    open();
    return;
  }
  const [missing, done] = [p.fresh('missing'), p.fresh('there')];
  open({ ENOENT: missing });
  p.goTo(done);
  p.mark(missing);
  createPath(p, base, names, kind, resolve);
  open();
  p.mark(done);
}

/** The steps for the case that something of the path is missing. */
function createPath(
  p: Program,
  { from, at }: Base,
  names: readonly string[],
  kind: EnsureOptions['kind'],
  resolve: number,
): void {
  let parent = from;
  names.forEach((name, index) => {
    const path = names.slice(0, index + 1).join('/');
    const isLast = index === names.length - 1;
    if (isLast && kind === 'file') createFile(p, from, path, `${at}/${path}`, resolve);
    else {
      p.call(
        `create the directory "${at}/${path}" in the container`,
        'mkdirat',
        [parent, cString(name), CREATED_MODE],
        { ignore: ['EEXIST'] },
      );
    }
    if (isLast) {
      if (parent !== from) close(p, parent);
      return;
    }
    const next = slot(`dir:${at}/${path}`);
    const label = `open "${at}/${path}" in the container`;
    openAt(p, label, from, path, next, { flags: O_PATH | O_DIRECTORY, resolve });
    if (parent !== from) close(p, parent);
    parent = next;
  });
}

/**
 * O_CREAT through openat2 in the root, never with O_TRUNC: a dangling symlink in an image (/etc/resolv.conf) leads to
 * a file inside the root, and an existing file keeps what it holds.
 */
function createFile(p: Program, root: Slot, path: string, shown: string, resolve: number): void {
  const created = slot(`new:${shown}`);
  openAt(p, `create the file "${shown}" in the container`, root, path, created, {
    flags: O_CREAT,
    resolve,
    mode: CREATED_MODE,
  });
  close(p, created);
}
