// eBPF as far as a device filter needs it: the instructions, an assembler with labels, and a disassembler.
// @see Documentation/bpf/standardization/instruction-set.rst

/** struct bpf_insn. */
export interface BpfInstruction {
  readonly code: number;
  readonly dst: number;
  readonly src: number;
  readonly offset: number;
  readonly immediate: number;
}

interface Operation {
  readonly code: number;
  /** As the kernel's verifier prints it. `w0` is the lower half of `r0`; writing it clears the upper half. */
  readonly text: (instruction: BpfInstruction) => string;
}

const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;
const signed = (n: number): string => (n < 0 ? `${n}` : `+${n}`);

// biome-ignore format: a table
const OPERATIONS = {
  load32:    { code: 0x61, text: (i) => `r${i.dst} = *(u32 *)(r${i.src} ${signed(i.offset)})` },
  move32:    { code: 0xbc, text: (i) => `w${i.dst} = w${i.src}` },
  set32:     { code: 0xb4, text: (i) => `w${i.dst} = ${i.immediate}` },
  and32:     { code: 0x54, text: (i) => `w${i.dst} &= ${i.immediate}` },
  shiftL32:  { code: 0x64, text: (i) => `w${i.dst} <<= ${i.immediate}` },
  shiftR32:  { code: 0x74, text: (i) => `w${i.dst} >>= ${i.immediate}` },
  or32:      { code: 0x4c, text: (i) => `w${i.dst} |= w${i.src}` },
  jump:      { code: 0x05, text: (i) => `goto pc${signed(i.offset)}` },
  ifEqual:   { code: 0x16, text: (i) => `if w${i.dst} == ${hex(i.immediate)} goto pc${signed(i.offset)}` },
  ifUnequal: { code: 0x56, text: (i) => `if w${i.dst} != ${hex(i.immediate)} goto pc${signed(i.offset)}` },
  ifAnyBit:  { code: 0x46, text: (i) => `if w${i.dst} & ${hex(i.immediate)} goto pc${signed(i.offset)}` },
  exit:      { code: 0x95, text: () => 'exit' },
} satisfies Record<string, Operation>;

type OperationName = keyof typeof OPERATIONS;
type JumpName = 'jump' | 'ifEqual' | 'ifUnequal' | 'ifAnyBit';

const BY_CODE: ReadonlyMap<number, Operation> = new Map(
  Object.values(OPERATIONS).map((operation) => [operation.code, operation]),
);

type Unfinished = { -readonly [K in keyof BpfInstruction]: BpfInstruction[K] };

/** A place further on in a program: the jumps that lead there, each with its number, until it is reached. */
export type Label = { readonly jump: Unfinished; readonly index: number }[];

/** A jump's offset has 16 bits; ours lead forward only. */
const OFFSET_MAX = 0x7fff;

export class BpfAssembler {
  readonly #program: Unfinished[] = [];
  #openJumps = 0;

  emit(name: Exclude<OperationName, JumpName>, dst = 0, src = 0, offset = 0, immediate = 0): void {
    this.#program.push({ code: OPERATIONS[name].code, dst, src, offset, immediate });
  }

  emitJump(name: JumpName, target: Label, dst = 0, immediate = 0): void {
    const jump = { code: OPERATIONS[name].code, dst, src: 0, offset: 0, immediate };
    target.push({ jump, index: this.#program.length });
    this.#program.push(jump);
    this.#openJumps += 1;
  }

  /** The next instruction is where `label` is. @throws {RangeError} where that is too far from a jump */
  place(label: Label): void {
    for (const { jump, index } of label.splice(0)) {
      jump.offset = this.#program.length - index - 1;
      if (jump.offset > OFFSET_MAX) throw new RangeError(`bpf jump of ${jump.offset} instructions`);
      this.#openJumps -= 1;
    }
  }

  finish(): BpfInstruction[] {
    if (this.#openJumps > 0) throw new RangeError(`${this.#openJumps} bpf jump(s) that lead nowhere`);
    return this.#program;
  }
}

export const INSTRUCTION_BYTES = 8;

/** As the kernel takes it on little-endian machines, which all of ours are. */
export function encodeProgram(program: readonly BpfInstruction[]): Uint8Array {
  const bytes = new Uint8Array(INSTRUCTION_BYTES * program.length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const instruction of program) {
    view.setUint8(at, instruction.code);
    view.setUint8(at + 1, instruction.dst | (instruction.src << 4));
    view.setInt16(at + 2, instruction.offset, true);
    view.setInt32(at + 4, instruction.immediate, true);
    at += INSTRUCTION_BYTES;
  }
  return bytes;
}

/** One line per instruction, in the verifier's words. */
export function disassemble(program: readonly BpfInstruction[]): string {
  const lines = program.map((instruction, index) => {
    const text = BY_CODE.get(instruction.code)?.text(instruction) ?? `unknown ${hex(instruction.code)}`;
    return `${index}: (${instruction.code.toString(16).padStart(2, '0')}) ${text}`;
  });
  return `${lines.join('\n')}\n`;
}
