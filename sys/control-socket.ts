// A pair of sockets between the host and a stage: whole messages, and descriptors beside them.
import {
  AF_UNIX,
  MSG_CMSG_CLOEXEC,
  MSG_NOSIGNAL,
  SCM_RIGHTS,
  SOCK_CLOEXEC,
  SOCK_SEQPACKET,
  SOL_SOCKET,
} from './abi/constants.ts';
import { HOST_ARCHITECTURE } from './abi/fcntl.ts';
import { cmsg_one_fd, iovec, msghdr } from './abi/structs.ts';
import { syscallNumber } from './abi/syscalls.ts';
import { errnoNumber, SysError } from './errno.ts';
import { Fd } from './fd.ts';
import { type Mapping, mapMemory, nativeSyscall } from './ffi.ts';
import { syscall } from './syscall.ts';

/** The longest message that either side sends. */
export const MESSAGE_BYTES_MAX = 64 * 1024;

const AT = { header: 0, vector: 64, control: 96, data: 128 } as const;
/** CMSG_LEN(sizeof(int)). CMSG_SPACE would leave room for a second descriptor, which nobody would close. */
const CMSG_LENGTH_OF_ONE_FD = 20n;

let memory: Mapping | undefined;

export interface Message {
  /** Empty when the other side is gone. */
  readonly bytes: Buffer;
  readonly fd: Fd | undefined;
}

/** Two connected ends; both close on exec. */
export function socketPair(): [Fd, Fd] {
  const pair = new Uint8Array(8);
  syscall('socketpair', AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
  const view = new DataView(pair.buffer);
  return [new Fd(view.getInt32(0, true)), new Fd(view.getInt32(4, true))];
}

/** Blocks for one message. @throws {SysError} */
export function receiveMessage(socket: Fd): Message {
  const { address, bytes } = prepareHeader(MESSAGE_BYTES_MAX, true);
  const number = syscallNumber('recvmsg', HOST_ARCHITECTURE);
  let length: number;
  do {
    length = nativeSyscall([number, socket.number, address + AT.header, MSG_CMSG_CLOEXEC]);
  } while (length === -errnoNumber('EINTR'));
  // The other side ended with something of ours unread: as good as an end.
  if (length === -errnoNumber('ECONNRESET')) length = 0;
  if (length < 0) throw new SysError('recvmsg', -length);
  return { bytes: Buffer.from(bytes.subarray(AT.data, AT.data + length)), fd: receivedFd(bytes) };
}

function receivedFd(bytes: Buffer): Fd | undefined {
  const header = msghdr.decode(bytes.subarray(AT.header, AT.header + msghdr.size));
  if (header.msg_controllen < CMSG_LENGTH_OF_ONE_FD) return undefined;
  const control = cmsg_one_fd.decode(bytes.subarray(AT.control, AT.control + cmsg_one_fd.size));
  if (control.cmsg_level !== SOL_SOCKET || control.cmsg_type !== SCM_RIGHTS) return undefined;
  return new Fd(control.fd);
}

/** @throws {SysError} EPIPE when the other side is gone */
export function sendMessage(socket: Fd, data: Uint8Array, fd?: Fd): void {
  if (data.length > MESSAGE_BYTES_MAX)
    throw new RangeError(`a message of more than ${MESSAGE_BYTES_MAX} bytes`);
  const { address, bytes } = prepareHeader(data.length, fd !== undefined);
  bytes.set(data, AT.data);
  if (fd !== undefined) {
    const control = cmsg_one_fd.encode({
      cmsg_len: CMSG_LENGTH_OF_ONE_FD,
      cmsg_level: SOL_SOCKET,
      cmsg_type: SCM_RIGHTS,
      fd: fd.number,
    });
    bytes.set(control, AT.control);
  }
  const number = syscallNumber('sendmsg', HOST_ARCHITECTURE);
  const result = nativeSyscall([number, socket.number, address + AT.header, MSG_NOSIGNAL]);
  if (result < 0) throw new SysError('sendmsg', -result);
}

function prepareHeader(length: number, withControl: boolean): Mapping {
  memory ??= mapMemory(AT.data + MESSAGE_BYTES_MAX);
  const { address, bytes } = memory;
  const vector = iovec.encode({ iov_base: BigInt(address + AT.data), iov_len: BigInt(length) });
  const header = msghdr.encode({
    msg_iov: BigInt(address + AT.vector),
    msg_iovlen: 1n,
    ...(withControl
      ? { msg_control: BigInt(address + AT.control), msg_controllen: CMSG_LENGTH_OF_ONE_FD }
      : {}),
  });
  bytes.set(header, AT.header);
  bytes.set(vector, AT.vector);
  return memory;
}
