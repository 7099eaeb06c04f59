// Loop devices, for kernels that mount only block devices (EROFS before Linux 6.12, or on tmpfs).
import { openSync } from 'node:fs';
import {
  LO_FLAGS_AUTOCLEAR,
  LO_FLAGS_READ_ONLY,
  LOOP_CONFIGURE,
  LOOP_CTL_GET_FREE,
} from '../../sys/abi/constants.ts';
import { LOOP_CONFIG_BYTES, loop_config_head } from '../../sys/abi/structs.ts';
import { errnoNumber, SysError } from '../../sys/errno.ts';
import { Fd } from '../../sys/fd.ts';
import { syscall, trySyscall } from '../../sys/syscall.ts';

/** Others take devices too, between our asking for a free one and our using it. */
const ATTEMPTS_MAX = 64;

export interface LoopDevice extends Disposable {
  readonly path: string;
}

/**
 * Puts the file behind a read-only block device. The device is the kernel's to free, when the last of its users
 * goes: this descriptor, or the file system mounted from it.
 * @see loop(4), LOOP_CONFIGURE, Linux 5.8
 */
export function attachLoopDevice(fileNumber: number): LoopDevice {
  using control = new Fd(openSync('/dev/loop-control', 'r+'));
  for (let attempt = 0; ; attempt++) {
    const path = `/dev/loop${syscall('ioctl', control.number, LOOP_CTL_GET_FREE, 0)}`;
    const device = new Fd(openSync(path, 'r'));
    const result = trySyscall('ioctl', device.number, LOOP_CONFIGURE, configuration(fileNumber));
    if (result >= 0) return { path, [Symbol.dispose]: () => device[Symbol.dispose]() };
    device[Symbol.dispose]();
    if (result !== -errnoNumber('EBUSY') || attempt === ATTEMPTS_MAX)
      throw new SysError('LOOP_CONFIGURE', -result, path);
  }
}

function configuration(fileNumber: number): Uint8Array {
  const bytes = new Uint8Array(LOOP_CONFIG_BYTES);
  bytes.set(loop_config_head.encode({ fd: fileNumber, lo_flags: LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR }));
  return bytes;
}
