// The container's terminal: made in its own devpts, checked by descriptor, sent to the host.

import type { ConsoleSize, User } from '../spec/config/process.ts';
import {
  AT_EMPTY_PATH,
  DEVPTS_SUPER_MAGIC,
  O_CLOEXEC,
  O_NOCTTY,
  O_RDWR,
  OPEN_TREE_CLONE,
  S_IFIFO,
  S_IFMT,
  SCM_RIGHTS,
  SOL_SOCKET,
  STATX_BASIC_STATS,
  TIOCGPTPEER,
  TIOCSCTTY,
  TIOCSPTLCK,
  TIOCSWINSZ,
} from '../sys/abi/constants.ts';
import {
  cmsg_one_fd,
  iovec,
  msghdr,
  STATFS_BYTES,
  STATX_BYTES,
  STATX_OFFSETS,
  winsize,
} from '../sys/abi/structs.ts';
import { block, buffer, cString, flags, type Program, place, type Slot, slot } from '../sys/plan/program.ts';
import { baseOf } from './base.ts';
import { requireDevice } from './devices.ts';
import { CONTROL, REPORTS } from './enter.ts';
import { attach, cloneTree } from './mount-steps.ts';
import { close, ensurePath, IN_ROOT_WITHOUT_SYMLINKS, openAt } from './paths.ts';

const TERMINAL_FLAGS = O_RDWR | O_NOCTTY;
const CMSG_HEADER_BYTES = 16;

/** Opens a new pair of the container's own devpts: a name could lead to another one (CVE-2025-52565). */
function openPair(p: Program, root: Slot, primary: Slot, secondary: Slot): void {
  const info = buffer('statfs', STATFS_BYTES);
  const type = slot('statfs.type');
  const right = p.fresh('devpts');
  const label = 'open a new terminal';
  openAt(p, label, root, 'dev/pts/ptmx', primary, { flags: TERMINAL_FLAGS });
  p.call(label, 'fstatfs', [primary, info]);
  p.load(label, type, 8, place(info, 0));
  p.branch(label, type, 'equal', flags(DEVPTS_SUPER_MAGIC, 'DEVPTS_SUPER_MAGIC'), right);
  p.fail(label, 'ENODEV', 'open a new terminal: "/dev/pts/ptmx" in the container is not in a devpts');
  p.mark(right);
  requireDevice(p, primary, '"/dev/pts/ptmx" in the container', 5, 2);
  const unlocked = block('{0}', new Uint8Array(4));
  p.call('unlock the terminal', 'ioctl', [primary, flags(TIOCSPTLCK, 'TIOCSPTLCK'), unlocked]);
  const peer = flags(TERMINAL_FLAGS | O_CLOEXEC, 'O_RDWR|O_NOCTTY|O_CLOEXEC');
  p.call('open its other side', 'ioctl', [primary, flags(TIOCGPTPEER, 'TIOCGPTPEER'), peer], {
    into: secondary,
  });
}

/** Sends `fd` to the host as SCM_RIGHTS, with one byte. */
function sendToHost(p: Program, fd: Slot): void {
  const byte = block('{1 byte}', new Uint8Array(1));
  const vector = block('iovec', iovec.encode({ iov_len: 1n }), [{ at: iovec.offsets.iov_base, to: byte }]);
  const rights = block(
    'SCM_RIGHTS',
    cmsg_one_fd.encode({
      cmsg_len: BigInt(CMSG_HEADER_BYTES + 4),
      cmsg_level: SOL_SOCKET,
      cmsg_type: SCM_RIGHTS,
    }),
  );
  const message = block(
    '{SCM_RIGHTS}',
    msghdr.encode({ msg_iovlen: 1n, msg_controllen: BigInt(cmsg_one_fd.size) }),
    [
      { at: msghdr.offsets.msg_iov, to: vector },
      { at: msghdr.offsets.msg_control, to: rights },
    ],
  );
  p.store('put the terminal into the message', 4, place(rights, cmsg_one_fd.offsets.fd), fd);
  p.call(REPORTS.terminal, 'sendmsg', [CONTROL, message, 0]);
}

export interface TerminalOptions {
  readonly size: ConsoleSize | undefined;
  readonly user: User | undefined;
  /** Bind it at /dev/console too: for the container's own terminal, not for one of exec. */
  readonly asConsole: boolean;
}

/** A terminal as standard input, output, error and controlling terminal; the host gets the other side. */
export function makeTerminal(p: Program, root: Slot, { size, user, asConsole }: TerminalOptions): void {
  const primary = slot('terminal');
  const secondary = slot('terminal.peer');
  openPair(p, root, primary, secondary);
  if (size !== undefined) {
    const rows = winsize.encode({ ws_row: size.height, ws_col: size.width });
    p.call('set its size', 'ioctl', [
      primary,
      flags(TIOCSWINSZ, 'TIOCSWINSZ'),
      block(`{${size.height} rows, ${size.width} columns}`, rows),
    ]);
  }
  if (asConsole) bindConsole(p, root, secondary);
  sendToHost(p, primary);
  close(p, primary);
  const { uid, gid } = user ?? { uid: 0, gid: 0 };
  if (uid !== 0 || gid !== 0) p.call('give it to the user', 'fchown', [secondary, uid, -1]);
  p.call('make it the controlling terminal', 'ioctl', [secondary, flags(TIOCSCTTY, 'TIOCSCTTY'), 0]);
  for (const fd of [0, 1, 2]) p.call(`make it descriptor ${fd}`, 'dup3', [secondary, fd, 0]);
  close(p, secondary);
}

function bindConsole(p: Program, root: Slot, secondary: Slot): void {
  const target = slot('fd:/dev/console');
  const tree = slot('tree:/dev/console');
  const base = baseOf('/dev/console', root, []);
  ensurePath(p, base, target, { kind: 'file', resolve: IN_ROOT_WITHOUT_SYMLINKS });
  cloneTree(p, 'clone the terminal for "/dev/console"', secondary, OPEN_TREE_CLONE, tree);
  attach(p, tree, target, 'the terminal at "/dev/console"');
  close(p, target);
  close(p, tree);
}

/**
 * Pipes that the caller gave as standard input, output and error go to the user, who may have to reopen them by
 * /dev/stdout. Nothing else changes its owner: a device or a file of the host is not ours to give (CVE-2026-88265).
 */
export function givePipes(p: Program, { uid, gid }: User): void {
  if (uid === 0 && gid === 0) return;
  const info = buffer('statx', STATX_BYTES);
  const mode = slot('statx.mode');
  for (const fd of [0, 1, 2]) {
    const label = `give descriptor ${fd} to the user if it is a pipe`;
    const other = p.fresh('not-a-pipe');
    p.call(label, 'statx', [fd, cString(''), AT_EMPTY_PATH, STATX_BASIC_STATS, info], { on: { any: other } });
    p.load(label, mode, 2, place(info, STATX_OFFSETS.stx_mode));
    p.set(label, mode, mode, 'and', flags(S_IFMT, 'S_IFMT'));
    p.branch(label, mode, 'notEqual', flags(S_IFIFO, 'S_IFIFO'), other);
    p.call(label, 'fchown', [fd, uid, -1], { ignore: ['any'] });
    p.mark(other);
  }
}
