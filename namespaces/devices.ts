// What /dev holds. Source: runtime-spec config-linux.md "Default Devices" and "Dev symbolic links".

import type { Device } from '../spec/config/linux.ts';
import {
  AT_EMPTY_PATH,
  AT_SYMLINK_NOFOLLOW,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFMT,
  STATX_BASIC_STATS,
} from '../sys/abi/constants.ts';
import { STATX_BYTES, STATX_OFFSETS } from '../sys/abi/structs.ts';
import { buffer, cString, flags, type Program, place, type Slot, slot } from '../sys/plan/program.ts';
import { baseOf, isMountPoint } from './base.ts';
import type { MountJob } from './mounts.ts';
import { cleanPath, close, ensurePath } from './paths.ts';

const character = (path: string, major: number, minor: number): Device => ({
  type: 'c',
  path,
  major,
  minor,
  fileMode: 0o666,
  uid: 0,
  gid: 0,
});

export const DEFAULT_DEVICES: readonly Device[] = [
  character('/dev/null', 1, 3),
  character('/dev/zero', 1, 5),
  character('/dev/full', 1, 7),
  character('/dev/random', 1, 8),
  character('/dev/urandom', 1, 9),
  character('/dev/tty', 5, 0),
];

/** link → target. /dev/core is runc's addition, where the host has /proc/kcore. */
const LINKS: readonly (readonly [link: string, target: string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
];
const CORE_LINK = ['core', '/proc/kcore'] as const;

const TYPE_BITS: Readonly<Record<Device['type'], number>> = {
  c: S_IFCHR,
  u: S_IFCHR,
  b: S_IFBLK,
  p: S_IFIFO,
};

/** The default devices, with those of the config, which win where they have the same path. */
export function allDevices(configured: readonly Device[]): Device[] {
  const byPath = new Map<string, Device>();
  for (const device of [...DEFAULT_DEVICES, ...configured]) byPath.set(cleanPath(device.path), device);
  return [...byPath.values()];
}

/** dev_t as mknod(2) takes it: new_encode_dev() of linux/kdev_t.h, within 32 bits. */
const deviceNumber = (major: number, minor: number): number =>
  ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;

/** Creates the nodes; what exists already must be the same device, else the plan fails. */
export function makeDevices(
  p: Program,
  root: Slot,
  devices: readonly Device[],
  mounted: readonly MountJob[],
): void {
  for (const device of devices) {
    const path = cleanPath(device.path);
    const parent = openParent(p, root, path.slice(0, path.lastIndexOf('/')), mounted);
    const isNew = parent.isEmpty && !isMountPoint(path, mounted);
    makeDevice(p, parent.directory, path.slice(path.lastIndexOf('/') + 1), device, isNew);
    parent.close();
  }
}

interface Parent {
  readonly directory: Slot;
  /** But for what the plan itself puts there. */
  readonly isEmpty: boolean;
  close(): void;
}

function openParent(p: Program, root: Slot, path: string, mounted: readonly MountJob[]): Parent {
  const base = baseOf(path, root, mounted);
  const isEmpty = base.contents === 'empty';
  if (isEmpty && base.path === '') return { directory: base.from, isEmpty, close: () => {} };
  const directory = slot(`dir:${path}`);
  ensurePath(p, base, directory, { kind: 'directory' });
  return { directory, isEmpty, close: () => close(p, directory) };
}

/** `isNew`: nothing can have that name yet, else it is seen whether what has it is the same device. */
function makeDevice(p: Program, parent: Slot, name: string, device: Device, isNew: boolean): void {
  const { major = 0, minor = 0, uid = 0, gid = 0 } = device;
  const type = TYPE_BITS[device.type];
  const mode = type | ((device.fileMode ?? 0o666) & 0o7777);
  const number = device.type === 'p' ? 0 : deviceNumber(major, minor);
  const exists = p.fresh('exists');
  const done = p.fresh('made');
  const on = isNew ? {} : { on: { EEXIST: exists } };
  p.call(`create the device "${device.path}"`, 'mknodat', [parent, cString(name), mode, number], on);
  if (uid !== 0 || gid !== 0) {
    const owner = [parent, cString(name), uid, gid, AT_SYMLINK_NOFOLLOW];
    p.call(`give "${device.path}" its owner`, 'fchownat', owner);
  }
  if (isNew) return;
  p.goTo(done);
  p.mark(exists);
  verifyDevice(p, parent, name, device.path, type, major, minor);
  p.mark(done);
}

function verifyDevice(
  p: Program,
  parent: Slot,
  name: string,
  path: string,
  type: number,
  major: number,
  minor: number,
): void {
  const info = buffer('statx', STATX_BYTES);
  const label = `check the existing "${path}"`;
  const failure = `create the device "${path}": another file is in its place`;
  const different = p.fresh('different');
  const same = p.fresh('same');
  p.call(label, 'statx', [parent, cString(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, info]);
  const value = slot('statx.value');
  p.load(label, value, 2, place(info, STATX_OFFSETS.stx_mode));
  p.set(label, value, value, 'and', flags(S_IFMT, 'S_IFMT'));
  p.branch(label, value, 'notEqual', type, different);
  if (type !== S_IFIFO) {
    p.load(label, value, 4, place(info, STATX_OFFSETS.stx_rdev_major));
    p.branch(label, value, 'notEqual', major, different);
    p.load(label, value, 4, place(info, STATX_OFFSETS.stx_rdev_minor));
    p.branch(label, value, 'notEqual', minor, different);
  }
  p.goTo(same);
  p.mark(different);
  p.fail(label, 'EEXIST', failure);
  p.mark(same);
}

/** Device nodes by binding the host's: a user namespace may not mknod. `sources` are detached clones by device path. */
export function bindDevices(
  p: Program,
  root: Slot,
  devices: readonly Device[],
  sources: ReadonlyMap<string, Slot>,
  attach: (p: Program, from: Slot, to: Slot, what: string) => void,
  mounted: readonly MountJob[],
): void {
  for (const { path } of devices) {
    const source = sources.get(path);
    if (source === undefined) continue;
    const target = slot(`fd:${path}`);
    ensurePath(p, baseOf(cleanPath(path), root, mounted), target, { kind: 'file' });
    attach(p, source, target, `the host's "${path}" at "${path}"`);
    close(p, target);
  }
}

/** /dev/fd and its kin, and /dev/ptmx, which leads to the container's own devpts. */
export function makeDeviceLinks(
  p: Program,
  root: Slot,
  withCore: boolean,
  mounted: readonly MountJob[],
): void {
  const { directory: dev, close: closeDev } = openParent(p, root, '/dev', mounted);
  for (const [link, target] of withCore ? [...LINKS, CORE_LINK] : LINKS) {
    p.call(`link "/dev/${link}" to "${target}"`, 'symlinkat', [cString(target), dev, cString(link)], {
      ignore: ['EEXIST'],
    });
  }
  p.call('remove the old "/dev/ptmx"', 'unlinkat', [dev, cString('ptmx'), 0], { ignore: ['ENOENT'] });
  p.call('link "/dev/ptmx" to "pts/ptmx"', 'symlinkat', [cString('pts/ptmx'), dev, cString('ptmx')]);
  closeDev();
}

/** Fails the plan unless `fd` is the character device; used before a device is handed to anyone (rule D6). */
export function requireDevice(
  p: Program,
  fd: Slot,
  what: string,
  major: number,
  minor: number | undefined,
): void {
  const label = `check that ${what} is a device`;
  const [wrong, right] = [p.fresh('wrong'), p.fresh('right')];
  branchUnlessDevice(p, label, fd, major, minor, wrong);
  p.goTo(right);
  p.mark(wrong);
  p.fail(label, 'ENODEV', `${what} is not the device ${major}:${minor ?? '*'}`);
  p.mark(right);
}

/** Goes to `wrong` when `fd` is another device, or none. */
export function branchUnlessDevice(
  p: Program,
  label: string,
  fd: Slot,
  major: number,
  minor: number | undefined,
  wrong: string,
): void {
  const info = buffer('statx', STATX_BYTES);
  const value = slot('statx.value');
  p.call(label, 'statx', [fd, cString(''), AT_EMPTY_PATH, STATX_BASIC_STATS, info]);
  p.load(label, value, 2, place(info, STATX_OFFSETS.stx_mode));
  p.set(label, value, value, 'and', flags(S_IFMT, 'S_IFMT'));
  p.branch(label, value, 'notEqual', flags(S_IFCHR, 'S_IFCHR'), wrong);
  p.load(label, value, 4, place(info, STATX_OFFSETS.stx_rdev_major));
  p.branch(label, value, 'notEqual', major, wrong);
  if (minor !== undefined) {
    p.load(label, value, 4, place(info, STATX_OFFSETS.stx_rdev_minor));
    p.branch(label, value, 'notEqual', minor, wrong);
  }
}
