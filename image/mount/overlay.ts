// Layers stacked by overlayfs.
import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import {
  AT_FDCWD,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_RDONLY,
  MOVE_MOUNT_F_EMPTY_PATH,
  MS_NODEV,
  MS_RDONLY,
  UMOUNT_NOFOLLOW,
} from '../../sys/abi/constants.ts';
import { errnoNumber, isErrno, SysError } from '../../sys/errno.ts';
import type { Fd } from '../../sys/fd.ts';
import { syscall, trySyscall } from '../../sys/syscall.ts';
import { type FilesystemParameter, mountFilesystem } from './filesystem.ts';

/** How overlayfs gets at the layers. */
export type StackAccess =
  | 'detached' // Linux 6.15: as mounts that were never attached
  | 'attached' // Linux 6.5: attached for the moment, named one by one (`lowerdir+`)
  | 'options'; // before: attached, and named in one option string

export const STACK_ACCESS: readonly StackAccess[] = ['detached', 'attached', 'options'];

export interface OverlayOptions {
  /** Where changes go; without it, the root is read-only. Both directories lie on one file system. */
  readonly writable?: { readonly upper: string; readonly work: string };
  /** Keeps overlayfs's own marks in `user.*` attributes, all that a user namespace may write. */
  readonly userxattr?: boolean;
  /** Device nodes of the image work. Not the default: a container's devices are those of its own /dev. */
  readonly devices?: boolean;
}

/** A layer of the stack. */
export interface Lower extends Disposable {
  readonly fd: Fd;
  /** A mount that is attached nowhere yet, or else a plain directory. */
  readonly isDetached: boolean;
}

/** mount(2) takes one page of options. */
const OPTION_BYTES_MAX = 4095;

/** What 'attached' layers hang on, beside the target. */
const LOWER_DIRECTORY = 'lower';

/**
 * An image's layers may not steer overlayfs. The layer builder has escaped the marks that could; were one missed,
 * it would still not be followed.
 */
const FIXED: readonly FilesystemParameter[] = [
  ['redirect_dir', 'nofollow'],
  ['metacopy', 'off'],
];

/**
 * Mounts the stack of `layers`, lowest first, at `target`. The layers' mounts are not needed afterwards.
 * @throws {SysError} of the last way that was tried.
 */
export function mountOverlay(
  layers: readonly Lower[],
  target: string,
  options: OverlayOptions,
  access: readonly StackAccess[] = STACK_ACCESS,
): void {
  const [first, ...others] = access;
  try {
    if (first === 'detached') attachMount(stack(layers, options), target);
    else
      withAttached(layers, target, () => {
        if (first === 'attached') attachMount(stack(layers, options), target);
        else mountByOptions(layers, target, options);
      });
  } catch (error) {
    // EINVAL is how each kernel refuses what came after it.
    if (others.length === 0 || !isErrno(error, 'EINVAL')) throw error;
    mountOverlay(layers, target, options, others);
  }
}

/** Attaches a detached mount and forgets its descriptor. */
export function attachMount(mount: Fd, target: string): void {
  using from = mount;
  syscall('move_mount', from.number, '', AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
}

/** No mount there, nothing there, or nobody who could have mounted it. */
const NOTHING_MOUNTED = ['EINVAL', 'ENOENT', 'EPERM'] as const;

/** Takes down every mount at `target`; none is fine. */
export function unmountAll(target: string): void {
  for (;;) {
    const result = trySyscall('umount2', target, MNT_DETACH | UMOUNT_NOFOLLOW);
    if (NOTHING_MOUNTED.some((name) => result === -errnoNumber(name))) return;
    if (result < 0) throw new SysError('umount2', -result, target);
  }
}

/** What a killed mountOverlay() can leave behind: layers still attached beside the target. */
export function unmountLeftovers(target: string): void {
  const directory = path.join(path.dirname(target), LOWER_DIRECTORY);
  for (const name of directoryEntries(directory)) {
    unmountAll(path.join(directory, name));
    rmdirSync(path.join(directory, name));
  }
  if (directoryEntries(path.dirname(directory)).includes(LOWER_DIRECTORY)) rmdirSync(directory);
}

function directoryEntries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function withAttached(layers: readonly Lower[], target: string, use: () => void): void {
  const directory = path.join(path.dirname(target), LOWER_DIRECTORY);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    layers.forEach(({ fd, isDetached }, index) => {
      if (!isDetached) return;
      const place = path.join(directory, String(index));
      mkdirSync(place, { recursive: true, mode: 0o700 });
      syscall('move_mount', fd.number, '', AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH);
    });
    use();
  } finally {
    unmountLeftovers(target);
  }
}

const descriptorPath = ({ fd }: Lower): string => `/proc/self/fd/${fd.number}`;

/** ovl_unescape() of fs/overlayfs/params.c takes any character after a backslash as it is. */
const escapeOption = (value: string): string => value.replace(/[\\,:]/g, '\\$&');

/** A detached overlay; overlayfs wants the topmost layer first. */
function stack(layers: readonly Lower[], { writable, userxattr, devices }: OverlayOptions): Fd {
  const lowers = layers
    .toReversed()
    .map((layer): FilesystemParameter => ['lowerdir+', descriptorPath(layer)]);
  const parameters: FilesystemParameter[] = [...lowers, ...FIXED];
  if (writable !== undefined)
    parameters.push(['upperdir', escapeOption(writable.upper)], ['workdir', escapeOption(writable.work)]);
  if (userxattr) parameters.push(['userxattr']);
  const attributes = (devices ? 0 : MOUNT_ATTR_NODEV) | (writable === undefined ? MOUNT_ATTR_RDONLY : 0);
  return mountFilesystem('overlay', parameters, attributes);
}

/** Descriptor paths keep the string short, and free of the colons and commas that it would have to escape. */
function mountByOptions(layers: readonly Lower[], target: string, options: OverlayOptions): void {
  const { writable, userxattr, devices } = options;
  const data = [
    `lowerdir=${layers.toReversed().map(descriptorPath).join(':')}`,
    ...FIXED.map(([key, value]) => `${key}=${value}`),
    ...(writable === undefined
      ? []
      : [`upperdir=${escapeOption(writable.upper)}`, `workdir=${escapeOption(writable.work)}`]),
    ...(userxattr ? ['userxattr'] : []),
  ].join(',');
  if (Buffer.byteLength(data) > OPTION_BYTES_MAX) throw new SysError('mount', errnoNumber('E2BIG'), target);
  const flags = (devices ? 0 : MS_NODEV) | (writable === undefined ? MS_RDONLY : 0);
  syscall('mount', 'overlay', target, 'overlay', flags, data);
}
