// Whether a descriptor is a terminal. (node:tty would say so too, and takes a millisecond to load.)
import { fstatSync } from 'node:fs';
import { TCGETS, TERMIOS_BYTES } from './abi/termios.ts';
import { isErrno } from './errno.ts';
import { trySyscall } from './syscall.ts';

export function isTerminal(fd: number): boolean {
  try {
    if (!fstatSync(fd).isCharacterDevice()) return false;
  } catch (error) {
    if (isErrno(error, 'EBADF')) return false;
    throw error;
  }
  return trySyscall('ioctl', fd, TCGETS, new Uint8Array(TERMIOS_BYTES)) === 0;
}
