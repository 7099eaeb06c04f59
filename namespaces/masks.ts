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
import { branchUnlessDevice } from './devices.ts';
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

/** What paths are covered with. */
interface Covers {
  /** An empty read-only tmpfs, and 1 once it is attached: before that it cannot be cloned (Linux 6.15). */
  readonly directory: Slot;
  readonly attached: Slot;
  /** The container's /dev/null; negative when there is none. */
  readonly file: Slot;
}

/** Directories get one empty read-only tmpfs that all of them share, files get the container's /dev/null. */
export function maskedPaths(p: Program, root: Slot, paths: readonly string[]): void {
  if (paths.length === 0) return;
  const covers = {
    directory: slot('tree:empty'),
    attached: slot('empty.attached'),
    file: slot('fd:/dev/null'),
  };
  const [noNullDevice, done] = [p.fresh('no-null-device'), p.fresh('masked')];
  newFilesystem(p, {
    type: 'tmpfs',
    what: 'an empty directory',
    parameters: [['source', 'tmpfs'], ['size', '0'], ['nr_inodes', '1'], ['ro']],
    attributes: MOUNT_ATTR_RDONLY,
    into: covers.directory,
  });
  p.set('not attached yet', covers.attached, 0);
  findNullDevice(p, root, covers.file);
  for (const path of paths) maskPath(p, root, path, covers, noNullDevice);
  close(p, covers.directory);
  close(p, covers.file);
  p.goTo(done);
  p.mark(noNullDevice);
  sayWhatIsWrong(p, root, covers.file);
  p.mark(done);
}

/** Only a file that is masked needs it, so that it is not there is no failure yet. */
function findNullDevice(p: Program, root: Slot, into: Slot): void {
  const [found, none] = [p.fresh('found'), p.fresh('none')];
  openAt(p, 'look for "/dev/null" in the container', root, NULL_DEVICE, into, {
    flags: O_PATH,
    on: { any: found },
  });
  branchUnlessDevice(p, NULL_LABEL, into, 1, 3, none);
  p.goTo(found);
  p.mark(none);
  close(p, into);
  p.set(NULL_LABEL, into, -1);
  p.mark(found);
}

const NULL_DEVICE = 'dev/null';
const NULL_LABEL = 'check that "/dev/null" in the container is a device';

function sayWhatIsWrong(p: Program, root: Slot, into: Slot): void {
  openAt(p, 'open "/dev/null" in the container', root, NULL_DEVICE, into, { flags: O_PATH });
  p.fail(NULL_LABEL, 'ENODEV', '"/dev/null" in the container is not the device 1:3');
}

function maskPath(p: Program, root: Slot, path: string, covers: Covers, noNullDevice: string): void {
  const target = slot(`fd:${path}`);
  const tree = slot('tree:cover');
  const info = buffer('statx', STATX_BYTES);
  const mode = slot('statx.mode');
  const [absent, isFile, isNext, ready] = [
    p.fresh('absent'),
    p.fresh('file'),
    p.fresh('next'),
    p.fresh('ready'),
  ];
  openAt(p, `open "${path}" in the container`, root, components(path).join('/'), target, {
    flags: O_PATH,
    on: { ENOENT: absent, ENOTDIR: absent },
  });
  const look = `see what "${path}" is`;
  p.call(look, 'statx', [target, cString(''), AT_EMPTY_PATH, STATX_BASIC_STATS, info]);
  p.load(look, mode, 2, place(info, STATX_OFFSETS.stx_mode));
  p.set(look, mode, mode, 'and', flags(S_IFMT, 'S_IFMT'));
  p.branch(look, mode, 'notEqual', flags(S_IFDIR, 'S_IFDIR'), isFile);
  p.branch('is the empty directory attached?', covers.attached, 'notEqual', 0, isNext);
  p.call('take the empty directory', 'dup', [covers.directory], { into: tree });
  p.set('it is attached from here on', covers.attached, 1);
  p.goTo(ready);
  p.mark(isNext);
  cloneTree(p, 'clone the empty directory', covers.directory, OPEN_TREE_CLONE, tree);
  p.goTo(ready);
  p.mark(isFile);
  p.branch('is there a null device?', covers.file, 'less', 0, noNullDevice);
  cloneTree(p, 'clone "/dev/null"', covers.file, OPEN_TREE_CLONE, tree);
  p.mark(ready);
  attach(p, tree, target, `a cover over "${path}"`);
  close(p, tree);
  close(p, target);
  p.mark(absent);
}
