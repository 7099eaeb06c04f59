// --console-socket: the terminal goes to whoever listens there.

import { fstatSync } from 'node:fs';
import { AF_UNIX, AT_FDCWD, O_PATH, SOCK_CLOEXEC, SOCK_STREAM, TIOCGPTN } from '../sys/abi/constants.ts';
import { O_NOFOLLOW } from '../sys/abi/fcntl.ts';
import { sendMessage } from '../sys/control-socket.ts';
import { Fd } from '../sys/fd.ts';
import { syscall } from '../sys/syscall.ts';
import { RuntimeError } from './errors.ts';

/** struct sockaddr_un of linux/un.h */
const SOCKADDR_UN_BYTES = 110;

/** Connects before anything is made, so that a wrong path costs nothing. @throws {RuntimeError} */
export function connectConsoleSocket(path: string): Fd {
  try {
    // By descriptor: the path may be longer than a socket address holds, and is looked up once (rule D3).
    using file = new Fd(syscall('openat', AT_FDCWD, path, O_PATH | O_NOFOLLOW | SOCK_CLOEXEC, 0));
    if (!fstatSync(file.number).isSocket()) throw new Error('not a socket');
    const socket = new Fd(syscall('socket', AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const address = Buffer.alloc(SOCKADDR_UN_BYTES);
    address.writeUInt16LE(AF_UNIX);
    address.write(`/proc/self/fd/${file.number}`, 2);
    syscall('connect', socket.number, address, SOCKADDR_UN_BYTES);
    return socket;
  } catch (error) {
    throw new RuntimeError('CONSOLE_SOCKET', `cannot connect to the console socket ${JSON.stringify(path)}`, {
      cause: error,
    });
  }
}

/** One message: the terminal's name, and its descriptor (runc's contract). */
export function sendTerminal(socket: Fd, terminal: Fd): void {
  const number = new Uint8Array(4);
  syscall('ioctl', terminal.number, TIOCGPTN, number);
  const name = `/dev/pts/${new DataView(number.buffer).getUint32(0, true)}`;
  sendMessage(socket, Buffer.from(name), terminal);
}
