// An image as the root file system of one container.
import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { O_PATH } from '../../sys/abi/constants.ts';
import { isErrno } from '../../sys/errno.ts';
import { Fd } from '../../sys/fd.ts';
import { ImageError } from '../error.ts';
import type { Attributes } from '../layer/entry.ts';
import { layerFile } from '../store/layer-file.ts';
import { removeLease, writeLease } from '../store/lease.ts';
import { findImage, type ImageRecord, recordedRoot } from '../store/record.ts';
import { requireOwn, type Store } from '../store/store.ts';
import { setFileAttributes } from '../unpack/attributes.ts';
import { ensureTree } from './fallback-tree.ts';
import { LAYER_ACCESS, type LayerAccess, mountLayer } from './layer.ts';
import {
  type Lower,
  mountOverlay,
  type OverlayOptions,
  STACK_ACCESS,
  type StackAccess,
  unmountAll,
  unmountLeftovers,
} from './overlay.ts';

export interface MountImageOptions {
  /** The directory that keeps what the container changes, in `upper` and `work`; the container's own if not given. */
  readonly upper?: string;
  /** Nothing can be changed, and no upper directory is made. */
  readonly readonly?: boolean;
  /** Device nodes of the image work. By default a container's devices are those of its own /dev. */
  readonly devices?: boolean;
  /** For a mount that a user namespace may make. */
  readonly userxattr?: boolean;
  /** Which ways to try, for kernels that are not asked in vain. */
  readonly layerAccess?: readonly LayerAccess[];
  readonly stackAccess?: readonly StackAccess[];
}

export interface MountedImage {
  readonly image: ImageRecord;
  /** `<directory>/rootfs` */
  readonly rootfs: string;
  /** How the kernel has the layers; `unpacked` where it cannot mount them. */
  readonly form: 'mounted' | 'unpacked';
  /** Takes the mount down and lets go of the layers; what the container changed stays. May be repeated. */
  unmount(): void;
}

/**
 * Mounts an image below `containerDirectory`, which is private to this user, made if it is missing. What an earlier
 * call that did not get to its end left there is taken down first; changes in the upper directory stay.
 *
 * Set-user-id programs of the image work, as a container expects: on the host only the directory's mode keeps other
 * users from them, so it is checked. Device nodes do not work unless asked for.
 */
export async function mountImage(
  store: Store,
  image: string,
  containerDirectory: string,
  options: MountImageOptions = {},
): Promise<MountedImage> {
  const directory = path.resolve(containerDirectory);
  using _using = await store.lock('shared');
  const record = findImage(store, image);
  makePrivate(directory);
  unmountImage(store, directory);
  writeLease(store, { directory, layers: record.layers, files: record.files });
  const rootfs = path.join(directory, ROOTFS);
  try {
    mkdirSync(rootfs, { recursive: true });
    const form = await mount(store, record, directory, options);
    return { image: record, rootfs, form, unmount: () => unmountImage(store, directory) };
  } catch (error) {
    unmountImage(store, directory);
    throw new ImageError('UNSUPPORTED', `cannot mount image "${record.name}" at "${rootfs}"`, {
      cause: error,
    });
  }
}

/** Undoes {@link mountImage} in whatever state it was left, by whichever process. May be repeated. */
export function unmountImage(store: Store, containerDirectory: string): void {
  const directory = path.resolve(containerDirectory);
  const rootfs = path.join(directory, ROOTFS);
  unmountAll(rootfs);
  unmountLeftovers(rootfs);
  removeLease(store, directory);
}

const ROOTFS = 'rootfs';

async function mount(
  store: Store,
  image: ImageRecord,
  directory: string,
  options: MountImageOptions,
): Promise<MountedImage['form']> {
  const {
    upper = directory,
    readonly: isReadonly = false,
    devices,
    userxattr,
    stackAccess = STACK_ACCESS,
  } = options;
  const root = recordedRoot(image.root);
  using stack = new DisposableStack();
  const { layers, form } = await openLayers(store, image, options.layerAccess ?? LAYER_ACCESS);
  for (const layer of layers) stack.use(layer);
  const overlay: OverlayOptions = {
    ...(devices !== undefined && { devices }),
    ...(userxattr !== undefined && { userxattr }),
    ...(!isReadonly && { writable: { upper: makeRoot(upper, 'upper', root), work: makeWork(upper) } }),
  };
  // The topmost directory gives the root its attributes. It also makes two layers of one, which overlayfs needs.
  if (isReadonly) layers.push(stack.use(openDirectory(makeRoot(directory, 'top', root))));
  mountOverlay(layers, path.join(directory, ROOTFS), overlay, stackAccess);
  return form;
}

/** The image's files as mounts, or where the kernel cannot, all of them unpacked. */
async function openLayers(store: Store, image: ImageRecord, access: readonly LayerAccess[]): Promise<Layers> {
  const layers: Lower[] = [];
  try {
    for (const file of access.length === 0 ? [] : image.files) {
      layers.push(lower(mountLayer(layerFile(store, file), access), true));
    }
  } catch (error) {
    for (const layer of layers) layer[Symbol.dispose]();
    if (!isErrno(error, ...CANNOT_MOUNT)) throw error;
    layers.length = 0;
  }
  if (layers.length > 0) return { layers, form: 'mounted' };
  return { layers: [openDirectory(await ensureTree(store, image))], form: 'unpacked' };
}

interface Layers {
  readonly layers: Lower[];
  readonly form: MountedImage['form'];
}

/**
 * How kernels refuse: no EROFS (ENODEV), none with these blocks or of such files (EINVAL, ENOTBLK, EOPNOTSUPP), no
 * loop devices (ENOENT, ENXIO), or not for this user (EPERM, EACCES).
 */
const CANNOT_MOUNT = [
  'ENODEV',
  'EINVAL',
  'ENOTBLK',
  'EOPNOTSUPP',
  'ENOENT',
  'ENXIO',
  'EPERM',
  'EACCES',
] as const;

const lower = (fd: Fd, isDetached: boolean): Lower => ({
  fd,
  isDetached,
  [Symbol.dispose]: () => fd[Symbol.dispose](),
});

const openDirectory = (directory: string): Lower =>
  lower(new Fd(openSync(directory, O_PATH | constants.O_DIRECTORY)), false);

function makePrivate(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  requireOwn(directory, 0o077, 'container directory');
}

/** A directory that stands for the image's root; one that is there is a container's, with what it has changed. */
function makeRoot(parent: string, name: string, attributes: Attributes): string {
  const directory = path.join(parent, name);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return directory;
    throw error;
  }
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    setFileAttributes(fd, attributes, { ownership: 'exact', warn: () => {} });
  } finally {
    closeSync(fd);
  }
  return directory;
}

function makeWork(parent: string): string {
  const directory = path.join(parent, 'work');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}
