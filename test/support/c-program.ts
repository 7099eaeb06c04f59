// Asks the C compiler what the headers say.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const COMPILER = 'gcc';

/** Why C programs cannot be built here, or undefined. */
export const compilerMissing: string | undefined =
  spawnSync(COMPILER, ['--version']).error === undefined ? undefined : `needs ${COMPILER}`;

/** Compiles and runs `source`; what it prints, line by line. */
export function runC(source: string, options: readonly string[] = []): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'hull-c-'));
  try {
    const program = join(directory, 'program');
    execFileSync(COMPILER, ['-w', ...options, '-x', 'c', '-o', program, '-'], { input: source });
    return execFileSync(program, { encoding: 'utf8' }).split('\n').slice(0, -1);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * What `names` expand to after `headers` are included; the names that they do not define are absent.
 * `enumerators` are no macros, so they must be defined.
 */
export function cConstants(
  headers: readonly string[],
  names: readonly string[],
  enumerators: ReadonlySet<string> = new Set(),
  options: readonly string[] = [],
): ReadonlyMap<string, bigint> {
  const print = (name: string): string => {
    const line = `printf("${name} %lld\\n", (long long)(${name}));`;
    return enumerators.has(name) ? line : `#ifdef ${name}\n${line}\n#endif`;
  };
  const source = [
    ...headers.map((header) => `#include <${header}>`),
    'int printf(const char *, ...);',
    'int main(void) {',
    ...names.map(print),
    'return 0; }',
  ];
  return new Map(
    runC(source.join('\n'), options).map((line) => {
      const [name = '', value = ''] = line.split(' ');
      return [name, BigInt(value)];
    }),
  );
}

/** The values of C integer expressions. */
export function cValues(headers: readonly string[], expressions: readonly string[]): number[] {
  const source = [
    ...headers.map((header) => `#include <${header}>`),
    '#include <stddef.h>',
    'int printf(const char *, ...);',
    'int main(void) {',
    ...expressions.map((expression) => `printf("%lld\\n", (long long)(${expression}));`),
    'return 0; }',
  ];
  return runC(source.join('\n'), ['-D_GNU_SOURCE']).map(Number);
}
