import { describe, expect, it } from 'vitest';
import type { Architecture } from '../../../../sys/abi/syscalls.ts';
import { assembleInterpreter } from '../../../../sys/stage/interpreter.ts';
import { disassemble, disassemblerMissing } from '../../../support/objdump.ts';

const ARCHITECTURES: readonly Architecture[] = ['x64', 'arm64'];
const UNDEFINED = /\(bad\)|\.inst|\.byte|\budf\b|\bud[012]\b/;

describe('assembleInterpreter()', () => {
  for (const architecture of ARCHITECTURES) {
    it(`stays under 4 KB for ${architecture}`, () => {
      expect(assembleInterpreter(architecture).length).toBeLessThan(4096);
    });

    it(`is the same every time for ${architecture}`, () => {
      expect(assembleInterpreter(architecture)).toEqual(assembleInterpreter(architecture));
    });

    it(`has no undefined instruction for ${architecture}, and no jump into the middle of one`, (context) => {
      const missing = disassemblerMissing(architecture);
      context.skip(missing !== undefined, missing);
      const code = assembleInterpreter(architecture);
      const instructions = disassemble(architecture, code);
      expect(instructions.filter(({ text }) => UNDEFINED.test(text))).toEqual([]);

      const starts = new Set(instructions.map(({ offset }) => offset));
      const targets = instructions.flatMap(({ text }) => /^(?:j|b)\S* 0x([0-9a-f]+)$/.exec(text)?.[1] ?? []);
      expect(targets.length).toBeGreaterThan(50);
      expect(targets.filter((target) => !starts.has(Number.parseInt(target, 16)))).toEqual([]);
    });

    it(`uses no stack for ${architecture}`, (context) => {
      const missing = disassemblerMissing(architecture);
      context.skip(missing !== undefined, missing);
      const texts = disassemble(architecture, assembleInterpreter(architecture)).map(({ text }) => text);
      expect(texts.filter((text) => /\b(push|pop|call|ret|rsp|sp|bl|blr)\b/.test(text))).toEqual([]);
    });
  }

  it('would be told of an undefined instruction', (context) => {
    const missing = disassemblerMissing('arm64') ?? disassemblerMissing('x64');
    context.skip(missing !== undefined, missing);
    expect(disassemble('x64', Uint8Array.of(0x06))[0]?.text).toMatch(UNDEFINED);
    expect(disassemble('arm64', Uint8Array.of(0, 0, 0, 0))[0]?.text).toMatch(UNDEFINED);
  });
});
