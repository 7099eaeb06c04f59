// linux/bpf.h: what loading an eBPF program and attaching it to a cgroup take.
// test/integration/cgroups/bpf.test.ts compares every value with the C header.
import { struct, u32, u64 } from './struct.ts';

// enum bpf_cmd
export const BPF_PROG_LOAD = 5;
export const BPF_PROG_ATTACH = 8;
export const BPF_PROG_DETACH = 9;
export const BPF_PROG_GET_FD_BY_ID = 13;
export const BPF_PROG_QUERY = 16;

// enum bpf_prog_type, enum bpf_attach_type
export const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
export const BPF_CGROUP_DEVICE = 6;

export const BPF_F_ALLOW_MULTI = 2;
export const BPF_F_REPLACE = 4;

// struct bpf_cgroup_dev_ctx: access_type is (access << 16) | type
export const BPF_DEVCG_ACC_MKNOD = 1;
export const BPF_DEVCG_ACC_READ = 2;
export const BPF_DEVCG_ACC_WRITE = 4;
export const BPF_DEVCG_DEV_BLOCK = 1;
export const BPF_DEVCG_DEV_CHAR = 2;
export const bpf_cgroup_dev_ctx = struct('bpf_cgroup_dev_ctx', 12, {
  access_type: u32,
  major: u32,
  minor: u32,
});

/** The part of union bpf_attr that BPF_PROG_LOAD reads, up to expected_attach_type (Linux 4.17). */
export const bpf_attr_prog_load = struct('bpf_attr', 72, {
  prog_type: u32,
  insn_cnt: u32,
  insns: u64,
  license: u64,
  log_level: u32,
  log_size: u32,
  log_buf: u64,
  kern_version: u32,
  prog_flags: u32,
  prog_name: u64, // its first eight characters
  prog_name_end: u64,
  prog_ifindex: u32,
  expected_attach_type: u32,
});

/** For BPF_PROG_ATTACH and BPF_PROG_DETACH. */
export const bpf_attr_prog_attach = struct('bpf_attr', 20, {
  target_fd: u32,
  attach_bpf_fd: u32,
  attach_type: u32,
  attach_flags: u32,
  replace_bpf_fd: u32, // with BPF_F_REPLACE, Linux 5.6
});

export const bpf_attr_prog_query = struct('bpf_attr', 32, {
  target_fd: u32,
  attach_type: u32,
  query_flags: u32,
  attach_flags: u32,
  prog_ids: u64,
  prog_cnt: u32, // in: room for ids; out: how many there are
});

export const bpf_attr_get_id = struct('bpf_attr', 12, { prog_id: u32, next_id: u32, open_flags: u32 });
