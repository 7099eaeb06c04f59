// linux.maskedPaths and linux.readonlyPaths: by descriptor from lookup to mount, so that what is looked up is what
// is covered (GHSA-3q8j-pf29-vwv8, CVE-2025-31133).
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MOUNT_ATTR_RDONLY,
  O_PATH,
  OPEN_TREE_CLONE,
  S_IFDIR,
  S_IFMT,
  STATX_BASIC_STATS,
} from '../sys/abi/constants.ts';
import { STATX_BYTES, STATX_OFFSETS } from '../sys/abi/structs.ts';
import { buffer, cString, flags, type Program, place, type Slot, slot } from '../sys/plan/program.ts';
import { requireDevice } from './devices.ts';
import { attach, cloneTree, newFilesystem, setAttributes } from './mount-steps.ts';
import { close, components, openAt } from './paths.ts';

export function readonlyPaths(p: Program, root: Slot, paths: readonly string[]): void {
  for (const path of paths) {
    const target = slot(`fd:${path}`);
    const tree = slot(`tree:${path}`);
    const absent = p.fresh('absent');
    openAt(p, `open "${path}" in the container`, root, components(path).join('/'), target, {
      flags: O_PATH,
      on: { ENOENT: absent, ENOTDIR: absent },
    });
    cloneTree(p, `clone "${path}"`, target, OPEN_TREE_CLONE | AT_RECURSIVE, tree);
    setAttributes(p, `make "${path}" read-only`, tree, { set: MOUNT_ATTR_RDONLY, clear: 0 }, 0);
    attach(p, tree, target, `the read-only "${path}"`);
    close(p, target);
    close(p, tree);
    p.mark(absent);
  }
}

/** Directories get one empty read-only tmpfs that all of them share, files get the container's /dev/null. */
export function maskedPaths(p: Program, root: Slot, paths: readonly string[]): void {
  if (paths.length === 0) return;
  const empty = slot('tree:empty');
  const nullDevice = slot('fd:/dev/null');
  p.set('no empty directory yet', empty, -1);
  p.set('no null device yet', nullDevice, -1);
  for (const path of paths) maskPath(p, root, path, empty, nullDevice);
  close(p, empty);
  close(p, nullDevice);
}

function maskPath(p: Program, root: Slot, path: string, empty: Slot, nullDevice: Slot): void {
  const target = slot(`fd:${path}`);
  const info = buffer('statx', STATX_BYTES);
  const mode = slot('statx.mode');
  const [absent, isDirectory, done] = [p.fresh('absent'), p.fresh('directory'), p.fresh('masked')];
  openAt(p, `open "${path}" in the container`, root, components(path).join('/'), target, {
    flags: O_PATH,
    on: { ENOENT: absent, ENOTDIR: absent },
  });
  const look = `see what "${path}" is`;
  p.call(look, 'statx', [target, cString(''), AT_EMPTY_PATH, STATX_BASIC_STATS, info]);
  p.load(look, mode, 2, place(info, STATX_OFFSETS.stx_mode));
  p.set(look, mode, mode, 'and', flags(S_IFMT, 'S_IFMT'));
  p.branch(look, mode, 'equal', flags(S_IFDIR, 'S_IFDIR'), isDirectory);
  coverFile(p, root, path, target, nullDevice);
  p.goTo(done);
  p.mark(isDirectory);
  coverDirectory(p, path, target, empty);
  p.mark(done);
  close(p, target);
  p.mark(absent);
}

function coverFile(p: Program, root: Slot, path: string, target: Slot, nullDevice: Slot): void {
  const tree = slot(`tree:${path}`);
  const ready = p.fresh('ready');
  p.branch('have the null device?', nullDevice, 'notEqual', -1, ready);
  openAt(p, 'open "/dev/null" in the container', root, 'dev/null', nullDevice, { flags: O_PATH });
  requireDevice(p, nullDevice, '"/dev/null" in the container', 1, 3);
  p.mark(ready);
  cloneTree(p, 'clone "/dev/null"', nullDevice, OPEN_TREE_CLONE, tree);
  attach(p, tree, target, `"/dev/null" over "${path}"`);
  close(p, tree);
}

function coverDirectory(p: Program, path: string, target: Slot, empty: Slot): void {
  const tree = slot(`tree:${path}`);
  const [again, done] = [p.fresh('again'), p.fresh('covered')];
  p.branch('have an empty directory?', empty, 'notEqual', -1, again);
  newFilesystem(p, {
    type: 'tmpfs',
    what: 'an empty directory',
    parameters: [['source', 'tmpfs'], ['size', '0'], ['nr_inodes', '1'], ['ro']],
    attributes: MOUNT_ATTR_RDONLY,
    into: empty,
  });
  attach(p, empty, target, `an empty directory over "${path}"`);
  p.goTo(done);
  p.mark(again);
  cloneTree(p, 'clone the empty directory', empty, OPEN_TREE_CLONE, tree);
  attach(p, tree, target, `an empty directory over "${path}"`);
  close(p, tree);
  p.mark(done);
}
