// The stage as a program file: a static ELF of two segments, code and plan. No sections, no interpreter.
import type { Architecture } from '../abi/syscalls.ts';
import { CODE_ADDRESS, PLAN_ADDRESS, PLAN_OFFSET, SEGMENT_ALIGNMENT } from './layout.ts';

// elf.h
const EHDR_BYTES = 64;
const PHDR_BYTES = 56;
const ET_EXEC = 2;
const MACHINES: Readonly<Record<Architecture, number>> = { x64: 62, arm64: 183 };
const PT_LOAD = 1;
const PT_GNU_STACK = 0x6474e551;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;
const HEADERS_BYTES = EHDR_BYTES + 3 * PHDR_BYTES;

const CODE_BYTES_MAX = PLAN_OFFSET - HEADERS_BYTES;

export interface StageFile {
  readonly architecture: Architecture;
  readonly code: Uint8Array;
  readonly plan: Uint8Array;
  /** What the plan needs beyond its bytes is mapped as zeros. */
  readonly planMemoryBytes: number;
}

export function elfFile({ architecture, code, plan, planMemoryBytes }: StageFile): Uint8Array {
  if (code.length > CODE_BYTES_MAX)
    throw new RangeError(`the stage's code takes ${code.length} bytes of ${CODE_BYTES_MAX}`);
  const file = new Uint8Array(PLAN_OFFSET + plan.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // magic, 64 bits, little endian, version 1
  view.setUint16(16, ET_EXEC, true);
  view.setUint16(18, MACHINES[architecture], true);
  view.setUint32(20, 1, true);
  view.setUint32(24, CODE_ADDRESS + HEADERS_BYTES, true); // e_entry
  view.setUint32(32, EHDR_BYTES, true); // e_phoff
  view.setUint16(52, EHDR_BYTES, true);
  view.setUint16(54, PHDR_BYTES, true);
  view.setUint16(56, 3, true); // e_phnum

  const segment = (
    index: number,
    type: number,
    flags: number,
    offset: number,
    at: number,
    size: number,
    memory: number,
  ) => {
    const base = EHDR_BYTES + PHDR_BYTES * index;
    view.setUint32(base, type, true);
    view.setUint32(base + 4, flags, true);
    view.setUint32(base + 8, offset, true);
    view.setUint32(base + 16, at, true); // p_vaddr
    view.setUint32(base + 24, at, true); // p_paddr
    view.setUint32(base + 32, size, true);
    view.setUint32(base + 40, memory, true);
    view.setUint32(base + 48, type === PT_LOAD ? SEGMENT_ALIGNMENT : 16, true);
  };
  const codeBytes = HEADERS_BYTES + code.length;
  segment(0, PT_LOAD, PF_R | PF_X, 0, CODE_ADDRESS, codeBytes, codeBytes);
  segment(1, PT_LOAD, PF_R | PF_W, PLAN_OFFSET, PLAN_ADDRESS, plan.length, planMemoryBytes);
  segment(2, PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0);
  file.set(code, HEADERS_BYTES);
  file.set(plan, PLAN_OFFSET);
  return file;
}
