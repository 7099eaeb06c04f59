// The parameters of the system calls that plans make, by their names in section 2 of the manual pages, and how an
// argument reads. What is dear to compute is computed when a plan is printed, not when it is made.
import {
  AF_INET,
  AF_UNIX,
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_RECURSIVE,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  CLONE_INTO_CGROUP,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  CLONE_PARENT,
  CLOSE_RANGE_CLOEXEC,
  KEYCTL_JOIN_SESSION_KEYRING,
  MFD_CLOEXEC,
  MNT_DETACH,
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  MS_BIND,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOCTTY,
  O_NONBLOCK,
  O_PATH,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
  PR_CAP_AMBIENT,
  PR_CAPBSET_DROP,
  PR_SET_DUMPABLE,
  PR_SET_KEEPCAPS,
  PR_SET_NO_NEW_PRIVS,
  PR_SET_PDEATHSIG,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  SIGCHLD,
  SIGKILL,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  STATX_BASIC_STATS,
} from '../abi/constants.ts';
import { O_DIRECTORY, O_NOFOLLOW } from '../abi/fcntl.ts';
import { clone_args, mount_attr, open_how, rlimit64 } from '../abi/structs.ts';
import type { SyscallName } from '../abi/syscalls.ts';
import { bits, choice, deviceNumber, fileMode, octal, plain, type Show, structText } from './numbers.ts';

export interface Parameter {
  readonly name: string;
  readonly show: Show;
  /** Of what a pointer leads to. */
  readonly struct?: (bytes: Uint8Array) => string;
  /** Left out, with all that follow it, when it is zero. */
  readonly optional?: true;
}

const openFlags = bits(
  {
    O_WRONLY,
    O_RDWR,
    O_CREAT,
    O_EXCL,
    O_NOCTTY,
    O_TRUNC,
    O_NONBLOCK,
    O_DIRECTORY,
    O_NOFOLLOW,
    O_PATH,
    O_CLOEXEC,
  },
  'O_RDONLY',
);
const resolveFlags = bits({
  RESOLVE_NO_XDEV,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
});
const atFlags = bits({ AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_RECURSIVE });

const namespaces = { CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID };
const namespaceFlags = bits({ ...namespaces, CLONE_NEWNET, CLONE_NEWTIME });
const cloneFlags = bits({ ...namespaces, CLONE_NEWNET, CLONE_NEWTIME, CLONE_PARENT, CLONE_INTO_CGROUP });

const mountFlags = bits({
  MS_RDONLY,
  MS_REMOUNT,
  MS_BIND,
  MS_REC,
  MS_UNBINDABLE,
  MS_PRIVATE,
  MS_SLAVE,
  MS_SHARED,
});
const attributes = bits({
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR__ATIME, // a mask: before the modes within it
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_STRICTATIME,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOSYMFOLLOW,
});

const RLIMITS =
  'CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME';
const rlimits = choice(
  Object.fromEntries(RLIMITS.split(' ').map((name, index) => [`RLIMIT_${name}`, index])),
);

const value = (name: string): Parameter => ({ name, show: plain });
const as = (name: string, show: Show): Parameter => ({ name, show });
const optional = (name: string, show = plain): Parameter => ({ name, show, optional: true });
const struct = (name: string, text: Parameter['struct'] & {}): Parameter => ({
  name,
  show: plain,
  struct: text,
});
const pointer = (name: string): Parameter => as(name, choice({ NULL: 0 }));
const directory = (name = 'dirfd'): Parameter => as(name, choice({ AT_FDCWD }));
const flags = (show: Show = bits({})): Parameter => as('flags', show);

const path = value('path');
const fd = value('fd');
const size = value('size');
const mode = as('mode', octal);
const limits = structText(rlimit64, { rlim_cur: String, rlim_max: String });
const attr = structText(mount_attr, { attr_set: attributes, attr_clr: attributes, propagation: mountFlags });

// biome-ignore format: a table
const SIGNATURES: Partial<Record<SyscallName, readonly Parameter[]>> = {
  capset: [value('header'), value('data')],
  chdir: [path],
  clone: [flags(choice({ SIGCHLD })), optional('stack'), optional('parent_tid'), optional('child_tid'), optional('tls')],
  clone3: [struct('args', structText(clone_args, { flags: cloneFlags })), size],
  close: [fd],
  close_range: [value('first'), as('last', choice({ UINT_MAX: 0xffffffff })), flags(bits({ CLOSE_RANGE_CLOEXEC }))],
  dup: [value('oldfd')],
  dup3: [value('oldfd'), value('newfd'), flags(bits({ O_CLOEXEC }))],
  execve: [path, value('argv'), value('envp')],
  exit_group: [value('status')],
  faccessat2: [directory(), path, as('mode', bits({ X_OK: 1 }, 'F_OK')), flags(bits({ AT_EACCESS }))],
  fchdir: [fd],
  fchmod: [fd, mode],
  fchown: [fd, value('uid'), value('gid')],
  fchownat: [directory(), path, value('uid'), value('gid'), flags(atFlags)],
  fsconfig: [fd, value('cmd'), pointer('key'), pointer('value'), value('aux')],
  fsmount: [fd, flags(), as('attributes', attributes)],
  fsopen: [value('fsname'), flags()],
  fstatfs: [fd, value('buf')],
  getcwd: [value('buf'), size],
  ioctl: [fd, value('op'), optional('argument')],
  ioprio_set: [value('which'), value('who'), value('ioprio')],
  keyctl: [as('operation', choice({ KEYCTL_JOIN_SESSION_KEYRING })), pointer('name')],
  kill: [value('pid'), as('sig', choice({ SIGKILL }))],
  lseek: [fd, value('offset'), as('whence', choice({ SEEK_SET: 0 }))],
  memfd_create: [value('name'), flags(bits({ MFD_CLOEXEC }))],
  mkdirat: [directory(), path, mode],
  mknodat: [directory(), path, as('mode', fileMode), as('dev', deviceNumber)],
  mount: [pointer('source'), value('target'), pointer('type'), flags(mountFlags), pointer('data')],
  mount_setattr: [directory(), path, flags(atFlags), struct('attr', attr), size],
  move_mount: [directory('from_dirfd'), value('from_path'), directory('to_dirfd'), value('to_path'), flags(bits({ MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH }))],
  open_tree: [directory(), path, flags(bits({ OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC, AT_RECURSIVE, AT_EMPTY_PATH }))],
  openat: [directory(), path, flags(openFlags), optional('mode', octal)],
  openat2: [directory(), path, struct('how', structText(open_how, { flags: openFlags, mode: octal, resolve: resolveFlags })), size],
  personality: [as('persona', choice({ PER_LINUX: 0, PER_LINUX32: 8 }))],
  pidfd_open: [value('pid'), flags()],
  pivot_root: [value('new_root'), value('put_old')],
  ppoll: [value('fds'), value('nfds'), pointer('timeout'), pointer('sigmask'), size],
  prctl: [as('option', choice({ PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT })), value('arg2'), optional('arg3'), optional('arg4'), optional('arg5')],
  prlimit64: [value('pid'), as('resource', rlimits), struct('new_limit', limits), pointer('old_limit')],
  read: [fd, value('buf'), value('count')],
  sched_setaffinity: [value('pid'), size, value('mask')],
  sched_setattr: [value('pid'), value('attr'), flags()],
  sendmsg: [fd, value('msg'), flags()],
  setdomainname: [value('name'), value('len')],
  setgroups: [size, value('list')],
  sethostname: [value('name'), value('len')],
  setns: [fd, as('nstype', namespaceFlags)],
  setresgid: [value('rgid'), value('egid'), value('sgid')],
  setresuid: [value('ruid'), value('euid'), value('suid')],
  setsid: [],
  socket: [as('domain', choice({ AF_UNIX, AF_INET })), as('type', bits({ SOCK_DGRAM, SOCK_STREAM, SOCK_CLOEXEC })), value('protocol')],
  statx: [directory(), path, flags(atFlags), as('mask', bits({ STATX_BASIC_STATS })), value('buf')],
  symlinkat: [value('target'), directory('newdirfd'), value('linkpath')],
  umask: [as('mask', octal)],
  umount2: [value('target'), flags(bits({ MNT_DETACH }))],
  unlinkat: [directory(), path, flags(bits({ AT_REMOVEDIR }))],
  unshare: [flags(namespaceFlags)],
  wait4: [value('pid'), pointer('wstatus'), value('options'), pointer('rusage')],
  write: [fd, value('buf'), value('count')],
};

export const signatureOf = (call: SyscallName): readonly Parameter[] | undefined => SIGNATURES[call];
