import { describe, expect, it } from 'vitest';
import {
  BpfAssembler,
  type BpfInstruction,
  disassemble,
  encodeProgram,
  type Label,
} from '../../../../cgroups/devices/bpf.ts';

describe('BpfAssembler', () => {
  it('counts a jump from the instruction after it', () => {
    const assembler = new BpfAssembler();
    const end: Label = [];
    assembler.emitJump('jump', end);
    assembler.emit('set32', 0, 0, 0, 1);
    assembler.place(end);
    assembler.emit('exit');
    expect(assembler.finish().map(({ offset }) => offset)).toEqual([1, 0, 0]);
  });

  it('refuses jumps that lead nowhere', () => {
    const assembler = new BpfAssembler();
    assembler.emitJump('jump', []);
    expect(() => assembler.finish()).toThrow('1 bpf jump(s) that lead nowhere');
  });

  it('refuses a jump that 16 bits do not hold, and takes the longest that they do', () => {
    const jumpOver = (count: number): BpfInstruction[] => {
      const assembler = new BpfAssembler();
      const end: Label = [];
      assembler.emitJump('jump', end);
      for (let i = 0; i < count; i++) assembler.emit('exit');
      assembler.place(end);
      return assembler.finish();
    };
    expect(() => jumpOver(0x8000)).toThrow('bpf jump of 32768 instructions');
    expect(jumpOver(0x7fff)[0]?.offset).toBe(0x7fff);
  });
});

describe('encodeProgram()', () => {
  it('lays instructions out as struct bpf_insn', () => {
    const instruction = { code: 0x61, dst: 3, src: 1, offset: -2, immediate: 0x0102_0304 };
    expect(Buffer.from(encodeProgram([instruction])).toString('hex')).toBe('6113feff04030201');
  });
});

describe('disassemble()', () => {
  it('prints what it does not know as such', () => {
    const unknown = { code: 0xff, dst: 0, src: 0, offset: 0, immediate: 0 };
    expect(disassemble([unknown])).toBe('0: (ff) unknown 0xff\n');
  });
});
