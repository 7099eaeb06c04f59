// docs/conformance.md names tests; those have to be there.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const TEST = join(import.meta.dirname, '..');
const DOCUMENT = readFileSync(join(TEST, '../docs/conformance.md'), 'utf8');

/** The names in the last cell of each row of the tables that have a column of tests. */
function namedTests(text: string): string[] {
  const tables = text.split(/^## /m).filter((section) => /^\|.*\| tests \|$/m.test(section));
  const cells = tables.flatMap((table) => table.match(/[^|]*(?=\|$)/gm) ?? []);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

const places = (name: string): string[] => {
  const path = join(TEST, name.startsWith('unit/') ? name : `integration/${name}`);
  return [path, `${path}.test.ts`];
};

describe('docs/conformance.md', () => {
  it('names tests that are there', () => {
    const names = namedTests(DOCUMENT);
    expect(names.length).toBeGreaterThan(50);
    expect(names.filter((name) => !places(name).some((path) => existsSync(path)))).toEqual([]);
  });

  it('would be caught naming one that is not', () => {
    const table = '## Any\n\n| what | tests |\n|---|---|\n| `a` | `mounts`, `unit/not/there` |\n';
    const missing = namedTests(table).filter((name) => !places(name).some((path) => existsSync(path)));
    expect(missing).toEqual(['unit/not/there']);
  });
});
