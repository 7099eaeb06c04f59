// Loading device filters into the kernel and attaching them to cgroups.
import {
  BPF_CGROUP_DEVICE,
  BPF_F_ALLOW_MULTI,
  BPF_F_REPLACE,
  BPF_PROG_ATTACH,
  BPF_PROG_DETACH,
  BPF_PROG_GET_FD_BY_ID,
  BPF_PROG_LOAD,
  BPF_PROG_QUERY,
  BPF_PROG_TYPE_CGROUP_DEVICE,
  bpf_attr_get_id,
  bpf_attr_prog_attach,
  bpf_attr_prog_load,
  bpf_attr_prog_query,
} from '../../sys/abi/bpf.ts';
import { errnoNumber, SysError } from '../../sys/errno.ts';
import { Fd } from '../../sys/fd.ts';
import { type Mapping, mapMemory } from '../../sys/ffi.ts';
import { trySyscall } from '../../sys/syscall.ts';
import { type BpfInstruction, encodeProgram } from './bpf.ts';

/** The kernel wants to know; only GPL programs may call some of its functions, and this one calls none. */
const LICENSE = Buffer.from('Apache-2.0\0');
/** What `bpftool cgroup tree` shows. */
const PROGRAM_NAME = Buffer.from('hull_dev').readBigUInt64LE();

/** For what struct bpf_attr points to: a licence, then the largest program that 4096 rules make, or program ids. */
const MEMORY_BYTES = 256 * 1024;
const DATA_AT = 64;
let memory: Mapping | undefined;

/**
 * The verifier gives up with EAGAIN when a signal is pending, and Node gets many. libbpf tries five times, which under
 * a storm of signals failed once in a hundred loads.
 */
const LOAD_ATTEMPTS = 20;

/** Of one cgroup: BPF_CGROUP_MAX_PROGS. */
const ATTACHED_MAX = 64;

/** The descriptor can be attached to any number of cgroups. @throws {SysError} */
export function loadDeviceFilter(program: readonly BpfInstruction[]): Fd {
  const bytes = encodeProgram(program);
  if (bytes.length > MEMORY_BYTES - DATA_AT)
    throw new RangeError(`bpf program of ${program.length} instructions`);
  memory ??= mapMemory(MEMORY_BYTES);
  memory.bytes.set(LICENSE);
  memory.bytes.set(bytes, DATA_AT);
  const attr = bpf_attr_prog_load.encode({
    prog_type: BPF_PROG_TYPE_CGROUP_DEVICE,
    insn_cnt: program.length,
    insns: BigInt(memory.address + DATA_AT),
    license: BigInt(memory.address),
    prog_name: PROGRAM_NAME,
    expected_attach_type: BPF_CGROUP_DEVICE,
  });
  for (let attempt = 1; ; attempt++) {
    const result = trySyscall('bpf', BPF_PROG_LOAD, attr, attr.length);
    if (result >= 0) return new Fd(result);
    if (-result !== errnoNumber('EAGAIN') || attempt === LOAD_ATTEMPTS) {
      throw new SysError('bpf', -result, 'BPF_PROG_LOAD');
    }
  }
}

/**
 * Enforces `program` on every process that is in the cgroup or enters it, beside what its parents enforce.
 * For a cgroup that has no filter of ours: otherwise both would have to allow. @throws {SysError}
 */
export function attachDeviceFilter(cgroup: Fd, program: readonly BpfInstruction[]): void {
  using filter = loadDeviceFilter(program);
  changeAttachment(BPF_PROG_ATTACH, cgroup, filter, BPF_F_ALLOW_MULTI);
}

/**
 * Puts `program` in the place of what is attached, without a moment in which neither is. @throws {SysError}
 */
export function replaceDeviceFilter(cgroup: Fd, program: readonly BpfInstruction[]): void {
  using filter = loadDeviceFilter(program);
  const attached = attachedFilters(cgroup);
  try {
    const [only] = attached;
    if (only !== undefined && attached.length === 1) {
      changeAttachment(BPF_PROG_ATTACH, cgroup, filter, BPF_F_ALLOW_MULTI | BPF_F_REPLACE, only);
      return;
    }
    changeAttachment(BPF_PROG_ATTACH, cgroup, filter, BPF_F_ALLOW_MULTI);
    for (const old of attached) changeAttachment(BPF_PROG_DETACH, cgroup, old, 0);
  } finally {
    for (const old of attached) old[Symbol.dispose]();
  }
}

function changeAttachment(command: number, cgroup: Fd, filter: Fd, flags: number, replaced?: Fd): void {
  const attr = bpf_attr_prog_attach.encode({
    target_fd: cgroup.number,
    attach_bpf_fd: filter.number,
    attach_type: BPF_CGROUP_DEVICE,
    attach_flags: flags,
    replace_bpf_fd: replaced?.number ?? 0,
  });
  const result = trySyscall('bpf', command, attr, attr.length);
  if (result < 0) {
    throw new SysError('bpf', -result, command === BPF_PROG_ATTACH ? 'BPF_PROG_ATTACH' : 'BPF_PROG_DETACH');
  }
}

/** Another manager's filter that an LSM hides from us can only forbid more (as runc); one may just have been detached. */
const SKIPPED: readonly number[] = [errnoNumber('EACCES'), errnoNumber('EPERM'), errnoNumber('ENOENT')];

/** Those on this very cgroup; its parents' stay in force in any case. */
function attachedFilters(cgroup: Fd): Fd[] {
  const filters: Fd[] = [];
  for (const id of attachedIds(cgroup)) {
    const attr = bpf_attr_get_id.encode({ prog_id: id });
    const result = trySyscall('bpf', BPF_PROG_GET_FD_BY_ID, attr, attr.length);
    if (result >= 0) filters.push(new Fd(result));
    else if (!SKIPPED.includes(-result)) {
      for (const filter of filters) filter[Symbol.dispose]();
      throw new SysError('bpf', -result, 'BPF_PROG_GET_FD_BY_ID');
    }
  }
  return filters;
}

function attachedIds(cgroup: Fd): number[] {
  memory ??= mapMemory(MEMORY_BYTES);
  const attr = bpf_attr_prog_query.encode({
    target_fd: cgroup.number,
    attach_type: BPF_CGROUP_DEVICE,
    prog_ids: BigInt(memory.address + DATA_AT),
    prog_cnt: ATTACHED_MAX,
  });
  const result = trySyscall('bpf', BPF_PROG_QUERY, attr, attr.length);
  if (result < 0) throw new SysError('bpf', -result, 'BPF_PROG_QUERY');
  const { bytes } = memory;
  const count = bpf_attr_prog_query.decode(attr).prog_cnt;
  return Array.from({ length: count }, (_, index) => bytes.readUInt32LE(DATA_AT + 4 * index));
}
