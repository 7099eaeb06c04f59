/** Builds the tests' C programs once per change of their sources, into the checkout's cache. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';

const SUPPORT = import.meta.dirname;
export const CHECKOUT: string = path.resolve(SUPPORT, '../..');
const CACHE = path.join(CHECKOUT, '.cache/test-programs');

// Truncation is meant where the programs cut a text to its buffer.
const FLAGS = ['-Os', '-Wall', '-Wextra', '-Werror', '-Wno-format-truncation', '-D_GNU_SOURCE'];

export interface ProgramSource {
  readonly name: string;
  /** Files relative to the directory of this module, headers included. */
  readonly files: readonly string[];
  readonly flags?: readonly string[];
}

/** The path of the program, built if its sources have changed. Safe against other test workers doing the same. */
export function compileProgram(
  { name, files, flags = [] }: ProgramSource,
  directory: string = SUPPORT,
): string {
  const hash = createHash('sha256').update([...FLAGS, ...flags].join(' '));
  for (const file of files) hash.update(readFileSync(path.join(directory, file)));
  const program = path.join(CACHE, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) return program;
  mkdirSync(CACHE, { recursive: true });
  const unfinished = `${program}.${process.pid}`;
  const sources = files.filter((file) => file.endsWith('.c')).map((file) => path.join(directory, file));
  execFileSync('gcc', [...FLAGS, '-o', unfinished, ...sources, ...flags], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  renameSync(unfinished, program);
  return program;
}

const inFolder = (folder: string, ...names: string[]): string[] => names.map((name) => `${folder}/${name}`);

/** Runs inside containers, whose root has no libraries. */
export function probe(): string {
  const parts = ['probe', 'json', 'credentials', 'limits', 'surroundings', 'files', 'modes', 'attack'];
  const files = inFolder('probe', 'probe.h', ...parts.map((part) => `${part}.c`));
  return compileProgram({ name: 'probe', files, flags: ['-static'] });
}

export function stepper(): string {
  const files = inFolder('stepper', 'filter.h', 'paths.h', 'filter.c', 'paths.c', 'stepper.c');
  return compileProgram({ name: 'stepper', files });
}

export function refuse(): string {
  return compileProgram({ name: 'refuse', files: inFolder('stepper', 'filter.h', 'filter.c', 'refuse.c') });
}

export function terminal(): string {
  return compileProgram({ name: 'terminal', files: ['terminal/terminal.c'], flags: ['-lutil'] });
}

export function xattr(): string {
  return compileProgram({ name: 'xattr', files: ['xattr/xattr.c'] });
}
