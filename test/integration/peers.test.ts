/** The same bundle under hull, runc and crun: the process inside must see the same, but for what is owned up to. */

import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { COMPARED, explains, knownDifferences } from '../support/conformance-table.ts';
import { TestHost } from '../support/host.ts';
import {
  comparable,
  type Difference,
  differences,
  type FlatReport,
  flatten,
} from '../support/report-difference.ts';
import { findRuntime } from '../support/runtime.ts';
import { reportIn, SITUATIONS, type Situation } from '../support/situations.ts';

/** Why a runtime cannot take part; undefined if it can. */
function absence(label: string): string | undefined {
  const [name = ''] = label.split(' ');
  try {
    const found = findRuntime(name).label;
    return found === label ? undefined : `docs/conformance.md compares ${label}, and this is ${found}`;
  } catch {
    return `${name} is not installed`;
  }
}

/** Each runtime has a machine of its own, but the bundle is the same: nothing of a path may differ. */
async function reportUnder(selection: string, situation: Situation): Promise<FlatReport> {
  await using host = await TestHost.open(selection);
  // What a peer does to the machine is its own affair: crun before 1.29 gives the caller's /dev/null away.
  if (host.runtime.name !== 'hull') host.expectDirty();
  const id = host.id();
  return flatten(comparable(await reportIn(host, id, situation), id, host.scratch));
}

const { reference, peer } = COMPARED;
const MISSING: Readonly<Record<string, string | undefined>> = {
  [reference]: absence(reference),
  [peer]: absence(peer),
};
const rows = knownDifferences();
const used = new Set<string>();
const references = new Map<Situation, Promise<FlatReport>>();

function referenceIn(situation: Situation): Promise<FlatReport> {
  const known = references.get(situation) ?? reportUnder('runc', situation);
  references.set(situation, known);
  return known;
}

function unexplained(found: readonly Difference[], runtime: string): string[] {
  const left: string[] = [];
  for (const { path, expected, actual } of found) {
    const row = rows.find((candidate) => explains(candidate, path, runtime));
    if (row === undefined) left.push(`${path}: ${reference} ${expected}, ${runtime} ${actual}`);
    else used.add(`${row.path} ${row.runtime}`);
  }
  return left;
}

describe('a process in a container', () => {
  for (const situation of SITUATIONS) {
    for (const runtime of ['hull', peer]) {
      it(`${situation.name} sees the same under ${runtime} as under ${reference}`, async ({ skip }) => {
        const missing = MISSING[reference] ?? MISSING[runtime];
        if (missing !== undefined) skip(missing);
        const expected = await referenceIn(situation);
        const actual = await reportUnder(runtime.split(' ')[0] ?? '', situation);
        expect(expected.size).toBeGreaterThan(200);
        expect(unexplained(differences(expected, actual), runtime)).toEqual([]);
      });
    }
  }

  it('is never different in a way that docs/conformance.md only imagines', ({ skip }) => {
    const missing = MISSING[reference] ?? MISSING[peer];
    if (missing !== undefined) skip(missing);
    if (!existsSync('/sys/fs/cgroup/unified')) skip('some differences are of hybrid hosts, and this is none');
    const unused = rows.filter(({ path, runtime }) => !used.has(`${path} ${runtime}`));
    expect(unused.map(({ path, runtime }) => `${path} ${runtime}`)).toEqual([]);
  });
});
