// System call numbers: asm/unistd_64.h (x86-64) and asm-generic/unistd.h (arm64).
// Only calls that both have: a plan must mean the same on either.

/** name → [x86-64, arm64] */
// biome-ignore format: a table
const NUMBERS = {
  read: [0, 63], write: [1, 64], close: [3, 57], fstat: [5, 80], lseek: [8, 62], mmap: [9, 222],
  mprotect: [10, 226], munmap: [11, 215], rt_sigaction: [13, 134], rt_sigprocmask: [14, 135],
  ioctl: [16, 29], pread64: [17, 67], pwrite64: [18, 68], readv: [19, 65], writev: [20, 66],
  mremap: [25, 216], madvise: [28, 233], dup: [32, 23], nanosleep: [35, 101], getpid: [39, 172],
  sendfile: [40, 71], socket: [41, 198], connect: [42, 203], sendto: [44, 206], recvfrom: [45, 207],
  sendmsg: [46, 211], recvmsg: [47, 212], shutdown: [48, 210], bind: [49, 200], listen: [50, 201],
  getsockname: [51, 204], getpeername: [52, 205], socketpair: [53, 199], setsockopt: [54, 208],
  getsockopt: [55, 209], clone: [56, 220], execve: [59, 221], exit: [60, 93], wait4: [61, 260],
  kill: [62, 129], uname: [63, 160], fcntl: [72, 25], flock: [73, 32], fsync: [74, 82], truncate: [76, 45],
  ftruncate: [77, 46], getcwd: [79, 17], chdir: [80, 49], fchdir: [81, 50], fchmod: [91, 52],
  fchown: [93, 55], umask: [95, 166], getrusage: [98, 165], sysinfo: [99, 179], times: [100, 153],
  ptrace: [101, 117], getuid: [102, 174], syslog: [103, 116], getgid: [104, 176], setuid: [105, 146],
  setgid: [106, 144], geteuid: [107, 175], getegid: [108, 177], setpgid: [109, 154], getppid: [110, 173],
  setsid: [112, 157], setreuid: [113, 145], setregid: [114, 143], getgroups: [115, 158],
  setgroups: [116, 159], setresuid: [117, 147], getresuid: [118, 148], setresgid: [119, 149],
  getresgid: [120, 150], getpgid: [121, 155], setfsuid: [122, 151], setfsgid: [123, 152],
  getsid: [124, 156], capget: [125, 90], capset: [126, 91], rt_sigpending: [127, 136],
  rt_sigtimedwait: [128, 137], rt_sigqueueinfo: [129, 138], sigaltstack: [131, 132],
  personality: [135, 92], statfs: [137, 43], fstatfs: [138, 44], getpriority: [140, 141],
  setpriority: [141, 140], pivot_root: [155, 41], prctl: [157, 167], chroot: [161, 51], sync: [162, 81],
  mount: [165, 40], umount2: [166, 39], swapon: [167, 224], reboot: [169, 142], sethostname: [170, 161],
  setdomainname: [171, 162], init_module: [175, 105], delete_module: [176, 106], quotactl: [179, 60],
  gettid: [186, 178], setxattr: [188, 5], lsetxattr: [189, 6], fsetxattr: [190, 7], getxattr: [191, 8],
  lgetxattr: [192, 9], fgetxattr: [193, 10], listxattr: [194, 11], llistxattr: [195, 12],
  flistxattr: [196, 13], removexattr: [197, 14], lremovexattr: [198, 15], fremovexattr: [199, 16],
  tkill: [200, 130], futex: [202, 98], sched_setaffinity: [203, 122], sched_getaffinity: [204, 123],
  getdents64: [217, 61], set_tid_address: [218, 96], clock_settime: [227, 112], clock_gettime: [228, 113],
  clock_nanosleep: [230, 115], exit_group: [231, 94], epoll_ctl: [233, 21], tgkill: [234, 131],
  set_mempolicy: [238, 237], get_mempolicy: [239, 236], waitid: [247, 95], add_key: [248, 217],
  request_key: [249, 218], keyctl: [250, 219], ioprio_set: [251, 30], ioprio_get: [252, 31],
  inotify_add_watch: [254, 27], inotify_rm_watch: [255, 28], openat: [257, 56], mkdirat: [258, 34],
  mknodat: [259, 33], fchownat: [260, 54], newfstatat: [262, 79], unlinkat: [263, 35], linkat: [265, 37],
  symlinkat: [266, 36], readlinkat: [267, 78], fchmodat: [268, 53], faccessat: [269, 48], ppoll: [271, 73],
  unshare: [272, 97], splice: [275, 76], utimensat: [280, 88], epoll_pwait: [281, 22],
  timerfd_create: [283, 85], fallocate: [285, 47], timerfd_settime: [286, 86], accept4: [288, 242],
  signalfd4: [289, 74], eventfd2: [290, 19], epoll_create1: [291, 20], dup3: [292, 24], pipe2: [293, 59],
  inotify_init1: [294, 26], preadv: [295, 69], pwritev: [296, 70], perf_event_open: [298, 241],
  prlimit64: [302, 261], name_to_handle_at: [303, 264], syncfs: [306, 267], setns: [308, 268],
  getcpu: [309, 168], process_vm_readv: [310, 270], finit_module: [313, 273], sched_setattr: [314, 274],
  sched_getattr: [315, 275], renameat2: [316, 276], seccomp: [317, 277], getrandom: [318, 278],
  memfd_create: [319, 279], bpf: [321, 280], execveat: [322, 281], userfaultfd: [323, 282],
  membarrier: [324, 283], copy_file_range: [326, 285], statx: [332, 291], rseq: [334, 293],
  pidfd_send_signal: [424, 424], io_uring_setup: [425, 425], open_tree: [428, 428], move_mount: [429, 429],
  fsopen: [430, 430], fsconfig: [431, 431], fsmount: [432, 432], fspick: [433, 433],
  pidfd_open: [434, 434], clone3: [435, 435], close_range: [436, 436], openat2: [437, 437],
  pidfd_getfd: [438, 438], faccessat2: [439, 439], mount_setattr: [442, 442],
  landlock_create_ruleset: [444, 444], landlock_add_rule: [445, 445], landlock_restrict_self: [446, 446],
  fchmodat2: [452, 452], statmount: [457, 457], listmount: [458, 458], open_tree_attr: [467, 467],
} as const satisfies Record<string, readonly [number, number]>;

export type SyscallName = keyof typeof NUMBERS;
export type Architecture = 'x64' | 'arm64';

/** Every call that a plan can name. */
export const SYSCALL_NAMES: readonly SyscallName[] = Object.keys(NUMBERS) as SyscallName[];

export function syscallNumber(name: SyscallName, architecture: Architecture): number {
  return NUMBERS[name][architecture === 'x64' ? 0 : 1];
}
