// busybox of the host, if it is one that runs anywhere.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { StaticProgram } from './welcome.ts';

/** Where Debian's busybox-static has it, and others. */
const PATHS = ['/bin/busybox', '/usr/bin/busybox'];

/** Undefined where there is none, or one that would miss its libraries in a container. */
export function findBusybox(paths: readonly string[] = PATHS): StaticProgram | undefined {
  for (const path of paths) {
    if (!existsSync(path)) continue;
    const content = readFileSync(path);
    if (!isStatic(content)) continue;
    const links = execFileSync(path, ['--list-full'], { encoding: 'utf8' }).split('\n');
    const usable = links.filter((link) => /^(?:usr\/)?s?bin\/[\w.[+-]+$/.test(link)).sort();
    return { name: 'busybox', content, links: usable, command: ['/bin/sh', '-l'] };
  }
  return undefined;
}

// elf(5), 64-bit little-endian: the only kind that hull runs on.
const E_PHOFF = 32;
const E_PHENTSIZE = 54;
const E_PHNUM = 56;
const PT_INTERP = 3;

/** An ELF program that names no interpreter. */
export function isStatic(elf: Buffer): boolean {
  if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2) return false;
  const start = Number(elf.readBigUInt64LE(E_PHOFF));
  const size = elf.readUInt16LE(E_PHENTSIZE);
  for (let n = 0; n < elf.readUInt16LE(E_PHNUM); n++) {
    const at = start + n * size;
    if (at + 4 > elf.length || elf.readUInt32LE(at) === PT_INTERP) return false;
  }
  return true;
}
