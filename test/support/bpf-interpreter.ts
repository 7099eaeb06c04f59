// Runs an encoded device filter as the kernel would: for differential tests without root.
import { bpf_cgroup_dev_ctx } from '../../sys/abi/bpf.ts';
import type { Request } from './device-cgroup-v1.ts';

const TYPE_NUMBERS = { b: 1, c: 2 } as const;

/** What the program at `bytes` answers; any instruction that it should not have is an error. */
export function runDeviceFilter(bytes: Uint8Array, { type, major, minor, access }: Request): boolean {
  const context = bpf_cgroup_dev_ctx.encode({
    access_type: ((access << 16) | TYPE_NUMBERS[type]) >>> 0,
    major,
    minor,
  });
  return interpret(bytes, new DataView(context.buffer)) !== 0;
}

/** Registers hold u32 values: the programs use no others. The context pointer in r1 is 0. */
function interpret(bytes: Uint8Array, context: DataView): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const registers: (number | undefined)[] = [];
  registers[1] = 0;
  const get = (register: number): number => {
    const value = registers[register];
    if (value === undefined) throw new Error(`r${register} was never written`);
    return value;
  };
  for (let pc = 0; ; pc++) {
    const at = 8 * pc;
    const code = view.getUint8(at);
    const dst = view.getUint8(at + 1) & 0xf;
    const src = view.getUint8(at + 1) >> 4;
    const offset = view.getInt16(at + 2, true);
    const immediate = view.getInt32(at + 4, true) >>> 0;
    switch (code) {
      case 0x61: // BPF_LDX | BPF_MEM | BPF_W
        registers[dst] = context.getUint32(get(src) + offset, true);
        break;
      case 0xbc: // BPF_ALU | BPF_MOV | BPF_X
        registers[dst] = get(src);
        break;
      case 0xb4: // BPF_ALU | BPF_MOV | BPF_K
        registers[dst] = immediate;
        break;
      case 0x54: // BPF_ALU | BPF_AND | BPF_K
        registers[dst] = (get(dst) & immediate) >>> 0;
        break;
      case 0x64: // BPF_ALU | BPF_LSH | BPF_K
        registers[dst] = (get(dst) << immediate) >>> 0;
        break;
      case 0x74: // BPF_ALU | BPF_RSH | BPF_K
        registers[dst] = get(dst) >>> immediate;
        break;
      case 0x4c: // BPF_ALU | BPF_OR | BPF_X
        registers[dst] = (get(dst) | get(src)) >>> 0;
        break;
      case 0x05: // BPF_JMP | BPF_JA
        pc += offset;
        break;
      case 0x16: // BPF_JMP32 | BPF_JEQ | BPF_K
        if (get(dst) === immediate) pc += offset;
        break;
      case 0x56: // BPF_JMP32 | BPF_JNE | BPF_K
        if (get(dst) !== immediate) pc += offset;
        break;
      case 0x46: // BPF_JMP32 | BPF_JSET | BPF_K
        if ((get(dst) & immediate) !== 0) pc += offset;
        break;
      case 0x95: // BPF_JMP | BPF_EXIT
        return get(0);
      default:
        throw new Error(`instruction ${pc}: unknown code 0x${code.toString(16)}`);
    }
  }
}
