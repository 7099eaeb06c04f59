import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Architecture } from '../../../../sys/abi/syscalls.ts';
import { elfFile } from '../../../../sys/stage/elf.ts';
import { CODE_ADDRESS, PLAN_ADDRESS, PLAN_OFFSET } from '../../../../sys/stage/layout.ts';

const HEADERS_BYTES = 64 + 3 * 56;
const missing = spawnSync('readelf', ['--version']).error === undefined ? undefined : 'needs readelf';

function readelf(file: Uint8Array, ...options: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'hull-elf-'));
  try {
    writeFileSync(join(directory, 'stage'), file);
    return execFileSync('readelf', [...options, join(directory, 'stage')], { encoding: 'utf8' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const stage = (architecture: Architecture, codeBytes = 100): Uint8Array =>
  elfFile({
    architecture,
    code: new Uint8Array(codeBytes).fill(0x90),
    plan: new Uint8Array(200).fill(7),
    planMemoryBytes: 5000,
  });

describe('elfFile()', () => {
  for (const [architecture, machine] of [
    ['x64', 'Advanced Micro Devices X86-64'],
    ['arm64', 'AArch64'],
  ] as const) {
    it(`is a static program for ${architecture} that begins at its code`, (context) => {
      context.skip(missing !== undefined, missing);
      const header = readelf(stage(architecture), '-h');
      expect(header).toMatch(/Type:\s+EXEC/);
      expect(header).toMatch(new RegExp(`Machine:\\s+${machine}`));
      expect(header).toMatch(
        new RegExp(`Entry point address:\\s+0x${(CODE_ADDRESS + HEADERS_BYTES).toString(16)}\\b`),
      );
      expect(readelf(stage(architecture), '-l')).not.toMatch(/INTERP|DYNAMIC/);
    });

    it(`maps nothing both writable and executable for ${architecture}, the stack included`, (context) => {
      context.skip(missing !== undefined, missing);
      const segments = [...readelf(stage(architecture), '-lW').matchAll(/^ +(LOAD|GNU_STACK) +(.*)$/gm)].map(
        ([, type, rest = '']) => [type, ...rest.split(/ +(?=[RWE0])/)].join(' '),
      );
      const hex = (n: number, digits = 6): string => `0x${n.toString(16).padStart(digits, '0')}`;
      const [code, plan] = [hex(CODE_ADDRESS, 16), hex(PLAN_ADDRESS, 16)];
      const codeBytes = hex(HEADERS_BYTES + 100);
      expect(segments).toEqual([
        `LOAD 0x000000 ${code} ${code} ${codeBytes} ${codeBytes} R E 0x10000`,
        `LOAD ${hex(PLAN_OFFSET)} ${plan} ${plan} ${hex(200)} ${hex(5000)} RW 0x10000`,
        `GNU_STACK 0x000000 ${hex(0, 16)} ${hex(0, 16)} 0x000000 0x000000 RW 0x10`,
      ]);
    });
  }

  it('holds code and plan at their offsets', () => {
    const file = stage('x64');
    expect([...file.subarray(HEADERS_BYTES, HEADERS_BYTES + 100)]).toEqual(Array(100).fill(0x90));
    expect([...file.subarray(PLAN_OFFSET)]).toEqual(Array(200).fill(7));
  });

  it('refuses code that would reach into the plan', () => {
    const room = PLAN_OFFSET - HEADERS_BYTES;
    expect(() => stage('x64', room + 1)).toThrow(`the stage's code takes ${room + 1} bytes of ${room}`);
    expect(stage('x64', room)).toHaveLength(PLAN_OFFSET + 200);
  });
});
