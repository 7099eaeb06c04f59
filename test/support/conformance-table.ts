/** The differences between runtimes that docs/conformance.md owns up to, read from its table. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CHECKOUT } from './compile.ts';

export interface KnownDifference {
  /** `mounts./sys/fs/cgroup*.options`, where `*` stands for anything. */
  readonly path: string;
  /** `hull`, `crun 1.8.1`. */
  readonly runtime: string;
  readonly reason: string;
}

/** The releases that the table is about. */
export const COMPARED = { reference: 'runc 1.1.5', peer: 'crun 1.8.1' } as const;

const HEADING = '## Differences that the probe sees';
const ROW = /^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$/gm;

export function knownDifferences(): KnownDifference[] {
  const text = readFileSync(path.join(CHECKOUT, 'docs/conformance.md'), 'utf8');
  const start = text.indexOf(HEADING);
  if (start < 0) throw new Error(`docs/conformance.md has no section "${HEADING}"`);
  const section = text.slice(start).split(/^## (?!Differences that)/m)[0] ?? '';
  return [...section.matchAll(ROW)].map(([, at = '', runtime = '', reason = '']) => {
    return { path: at, runtime: runtime.trim(), reason: reason.trim() };
  });
}

export function explains(row: KnownDifference, at: string, runtime: string): boolean {
  const pattern = row.path.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return row.runtime === runtime && new RegExp(`^${pattern.join('.*')}$`).test(at);
}
