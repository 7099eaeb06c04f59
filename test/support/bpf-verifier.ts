// The kernel's verifier as a disassembler: its log shows every instruction that it walked.
import { BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_DEVICE, bpf_attr_prog_load } from '../../sys/abi/bpf.ts';
import { isErrno } from '../../sys/errno.ts';
import { Fd } from '../../sys/fd.ts';
import { mapMemory } from '../../sys/ffi.ts';
import { syscall } from '../../sys/syscall.ts';

const LICENSE_AT = 0;
const PROGRAM_AT = 16;
const LOG_AT = 64 * 1024;
const LOG_BYTES = 1024 * 1024;
const BPF_LOG_LEVEL2 = 2;

const memory = mapMemory(LOG_AT + LOG_BYTES);

/** `number: (code) text` of every instruction, in the program's order. @throws {SysError} on a program it rejects */
export function verifierListing(program: Uint8Array): string[] {
  memory.bytes.write('Apache-2.0\0', LICENSE_AT);
  memory.bytes.set(program, PROGRAM_AT);
  const attr = bpf_attr_prog_load.encode({
    prog_type: BPF_PROG_TYPE_CGROUP_DEVICE,
    insn_cnt: program.length / 8,
    insns: BigInt(memory.address + PROGRAM_AT),
    license: BigInt(memory.address + LICENSE_AT),
    log_level: BPF_LOG_LEVEL2,
    log_size: LOG_BYTES,
    log_buf: BigInt(memory.address + LOG_AT),
  });
  using _ = new Fd(load(attr));
  const log = memory.bytes.toString('latin1', LOG_AT, memory.bytes.indexOf(0, LOG_AT));
  const listed = new Map<number, string>();
  for (const [, index = '', text = ''] of log.matchAll(/^(\d+): (\([0-9a-f]{2}\) [^;\n]*)/gm)) {
    listed.set(Number(index), `${index}: ${text.trimEnd()}`);
  }
  return [...listed].sort(([a], [b]) => a - b).map(([, line]) => line);
}

/** The verifier gives up when a signal is pending. */
function load(attr: Uint8Array, attempts = 5): number {
  try {
    return syscall('bpf', BPF_PROG_LOAD, attr, attr.length);
  } catch (error) {
    if (attempts === 1 || !isErrno(error, 'EAGAIN')) throw error;
    return load(attr, attempts - 1);
  }
}
