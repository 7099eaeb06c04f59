// Struct layouts of the kernel's interface, alike on x86-64 and arm64.
// test/integration/sys/abi.test.ts compares every one with the C headers.
import { i32, i64, struct, u16, u32, u64 } from './struct.ts';

/** clone3(2), linux/sched.h (CLONE_ARGS_SIZE_VER2, Linux 5.7). */
export const clone_args = struct('clone_args', 88, {
  flags: u64,
  pidfd: u64,
  child_tid: u64,
  parent_tid: u64,
  exit_signal: u64,
  stack: u64,
  stack_size: u64,
  tls: u64,
  set_tid: u64,
  set_tid_size: u64,
  cgroup: u64,
});

/** openat2(2), linux/openat2.h. */
export const open_how = struct('open_how', 24, { flags: u64, mode: u64, resolve: u64 });

/** mount_setattr(2), linux/mount.h. */
export const mount_attr = struct('mount_attr', 32, {
  attr_set: u64,
  attr_clr: u64,
  propagation: u64,
  userns_fd: u64,
});

/** prlimit(2), linux/resource.h. */
export const rlimit64 = struct('rlimit64', 16, { rlim_cur: u64, rlim_max: u64 });

/** capset(2), linux/capability.h. */
export const __user_cap_header_struct = struct('__user_cap_header_struct', 8, { version: u32, pid: i32 });
/** Two of these follow each other with _LINUX_CAPABILITY_VERSION_3: the low and the high 32 bits. */
export const __user_cap_data_struct = struct('__user_cap_data_struct', 12, {
  effective: u32,
  permitted: u32,
  inheritable: u32,
});

/** TIOCSWINSZ, asm-generic/termios.h. */
export const winsize = struct('winsize', 8, { ws_row: u16, ws_col: u16, ws_xpixel: u16, ws_ypixel: u16 });

export const pollfd = struct('pollfd', 8, { fd: i32, events: u16, revents: u16 });
export const iovec = struct('iovec', 16, { iov_base: u64, iov_len: u64 });
export const timespec = struct('timespec', 16, { tv_sec: i64, tv_nsec: i64 });

/** struct user_msghdr: what sendmsg(2) and recvmsg(2) take. */
export const msghdr = struct('msghdr', 56, {
  msg_name: u64,
  msg_namelen: u32,
  msg_iov: u64,
  msg_iovlen: u64,
  msg_control: u64,
  msg_controllen: u64,
  msg_flags: u32,
});

/** A control message that carries one descriptor (SCM_RIGHTS), as long as CMSG_SPACE(sizeof(int)). */
export const cmsg_one_fd = struct('cmsg_one_fd', 24, {
  cmsg_len: u64,
  cmsg_level: i32,
  cmsg_type: i32,
  fd: i32,
});

/** Where a plan looks into struct statx (256 bytes), linux/stat.h. */
export const STATX_BYTES = 256;
export const STATX_OFFSETS = {
  stx_nlink: 16,
  stx_mode: 28,
  stx_ino: 32,
  stx_rdev_major: 128,
  stx_rdev_minor: 132,
  stx_mnt_id: 144,
} as const;

/** Where struct statfs of both 64-bit ABIs keeps what we look at, asm-generic/statfs.h. */
export const STATFS_BYTES = 120;
export const STATFS_OFFSETS = { f_type: 0, f_flags: 80 } as const;

/** sched_setattr(2), linux/sched/types.h (SCHED_ATTR_SIZE_VER1). */
export const sched_attr = struct('sched_attr', 56, {
  size: u32,
  sched_policy: u32,
  sched_flags: u64,
  sched_nice: i32,
  sched_priority: u32,
  sched_runtime: u64,
  sched_deadline: u64,
  sched_period: u64,
  sched_util_min: u32,
  sched_util_max: u32,
});

/** The start of struct loop_config of LOOP_CONFIGURE, up to its `info.lo_flags`; the rest stays zero. linux/loop.h. */
export const loop_config_head = struct('loop_config_head', 64, {
  fd: u32,
  block_size: u32,
  lo_device: u64,
  lo_inode: u64,
  lo_rdevice: u64,
  lo_offset: u64,
  lo_sizelimit: u64,
  lo_number: u32,
  lo_encrypt_type: u32,
  lo_encrypt_key_size: u32,
  lo_flags: u32,
});
export const LOOP_CONFIG_BYTES = 304;
