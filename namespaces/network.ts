// A new network namespace has one interface, lo, and it is down.
import {
  AF_INET,
  IFF_UP,
  SIOCGIFFLAGS,
  SIOCSIFFLAGS,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
} from '../sys/abi/constants.ts';
import { block, flags, type Program, place, slot } from '../sys/plan/program.ts';

// struct ifreq of linux/if.h: a name of 16 bytes, then for these calls a short of flags.
const IFREQ_BYTES = 40;
const IFR_FLAGS = 16;

export function bringLoopbackUp(p: Program): void {
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write('lo');
  const lo = block('{lo}', request);
  const socket = slot('socket');
  const value = slot('lo.flags');
  const label = 'bring the loopback interface up';
  p.call(label, 'socket', [AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0], { into: socket });
  p.call(label, 'ioctl', [socket, flags(SIOCGIFFLAGS, 'SIOCGIFFLAGS'), lo]);
  p.load(label, value, 2, place(lo, IFR_FLAGS));
  p.set(label, value, value, 'or', IFF_UP);
  p.store(label, 2, place(lo, IFR_FLAGS), value);
  p.call(label, 'ioctl', [socket, flags(SIOCSIFFLAGS, 'SIOCSIFFLAGS'), lo]);
  p.call(label, 'close', [socket]);
}
