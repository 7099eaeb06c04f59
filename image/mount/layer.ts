// One layer file as a mount.
import { openSync } from 'node:fs';
import {
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
} from '../../sys/abi/constants.ts';
import { isErrno } from '../../sys/errno.ts';
import { Fd } from '../../sys/fd.ts';
import { mountFilesystem } from './filesystem.ts';
import { attachLoopDevice } from './loop.ts';

/** How EROFS gets at a file: by itself (Linux 6.12), or through a loop device. */
export type LayerAccess = 'file' | 'loop';

export const LAYER_ACCESS: readonly LayerAccess[] = ['file', 'loop'];

/** These hold for whoever reaches the layer itself; through overlayfs, the overlay's own attributes count. */
const LAYER_ATTRIBUTES = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

/** The first of the ways that this kernel and the store's file system support. @throws {SysError} of the last. */
export function mountLayer(path: string, access: readonly LayerAccess[] = LAYER_ACCESS): Fd {
  using file = new Fd(openSync(path, 'r'));
  const [first, ...others] = access;
  try {
    return first === 'loop' ? mountByLoop(file) : mountErofs(`/proc/self/fd/${file.number}`);
  } catch (error) {
    if (others.length === 0 || !isRefusalOfFiles(error)) throw error;
    return mountLayer(path, others);
  }
}

/** ENOTBLK: this kernel wants a block device. EINVAL: so it does for files of this file system. */
const isRefusalOfFiles = (error: unknown): boolean => isErrno(error, 'ENOTBLK', 'EINVAL');

function mountByLoop(file: Fd): Fd {
  using device = attachLoopDevice(file.number);
  return mountErofs(device.path);
}

const mountErofs = (source: string): Fd =>
  mountFilesystem('erofs', [['source', source], ['ro']], LAYER_ATTRIBUTES);
