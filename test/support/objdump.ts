// Machine code as binutils reads it.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Architecture } from '../../sys/abi/syscalls.ts';

const TOOLS: Readonly<Record<Architecture, readonly [program: string, ...options: string[]]>> = {
  x64: ['objdump', '-m', 'i386:x86-64', '-M', 'intel'],
  arm64: ['aarch64-linux-gnu-objdump', '-m', 'aarch64'],
};

/** Why code of `architecture` cannot be read here, or undefined. */
export function disassemblerMissing(architecture: Architecture): string | undefined {
  const [program] = TOOLS[architecture];
  return spawnSync(program, ['--version']).error === undefined ? undefined : `needs ${program}`;
}

export interface Instruction {
  readonly offset: number;
  /** `mov rdi,QWORD PTR [rbx+0x10]`: one space after the mnemonic, no comment. */
  readonly text: string;
}

export function disassemble(architecture: Architecture, code: Uint8Array): Instruction[] {
  const directory = mkdtempSync(join(tmpdir(), 'hull-code-'));
  try {
    const file = join(directory, 'code');
    writeFileSync(file, code);
    const [program, ...options] = TOOLS[architecture];
    const format = ['-D', '-z', '-b', 'binary', '--no-show-raw-insn'];
    const listing = execFileSync(program, [...format, ...options, file], { encoding: 'utf8' });
    return [...listing.matchAll(/^ *([0-9a-f]+):\t(.*)$/gm)].map(([, offset = '', text = '']) => ({
      offset: Number.parseInt(offset, 16),
      // A REX prefix that selects nothing is shown as a word of its own.
      text: text
        .replace(/ *\/\/.*/, '')
        .replace(/^rex /, '')
        .replace(/\s+/g, ' ')
        .trim(),
    }));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
