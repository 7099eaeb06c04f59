// The release carries the stage's machine code, and not the assembler.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { interpreterCode } from '../../../sys/stage/code.ts';
import { assembleInterpreter } from '../../../sys/stage/interpreter.ts';

const DIST = join(import.meta.dirname, '../../../dist');
const scripts = (): string[] =>
  readdirSync(DIST)
    .filter((file) => file.endsWith('.cjs'))
    .map((file) => readFileSync(join(DIST, file), 'utf8'));

describe('interpreterCode()', () => {
  for (const architecture of ['x64', 'arm64'] as const) {
    it(`is what the assembler makes for ${architecture}, made once`, () => {
      expect(interpreterCode(architecture)).toEqual(assembleInterpreter(architecture));
      expect(interpreterCode(architecture)).toBe(interpreterCode(architecture));
    });

    it(`is in the release for ${architecture}, as the same bytes`, () => {
      const base64 = Buffer.from(assembleInterpreter(architecture)).toString('base64');
      expect(scripts().filter((script) => script.includes(base64))).toHaveLength(1);
    });
  }

  it('comes without the assembler in the release', () => {
    const operation = 'compareImmediate';
    const source = readFileSync(join(DIST, '../sys/stage/assembler.ts'), 'utf8');
    expect(source).toContain(operation);
    expect(scripts().filter((script) => script.includes(operation))).toEqual([]);
  });
});
