/** User namespaces whose maps give more than they say. Case C-10. */

import { chownSync } from 'node:fs';
import { describe } from 'vitest';
import { expectRuns, itResists, printToken, refuses } from '../../support/attack.ts';
import { addNamespace, type Config, type IdMapping } from '../../support/config.ts';
import type { TestHost } from '../../support/host.ts';

const GOOD: IdMapping[] = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const MANY = [...Array(341).keys()].map((number) => ({
  containerID: number * 2,
  hostID: 100_000 + number * 2,
  size: 1,
}));

function mapped(uidMappings: IdMapping[] | undefined, gidMappings = uidMappings): (config: Config) => void {
  return (config) => {
    addNamespace(config, { type: 'user' });
    if (uidMappings) config.linux.uidMappings = uidMappings;
    if (gidMappings) config.linux.gidMappings = gidMappings;
  };
}

async function control(host: TestHost): Promise<void> {
  const bundle = host.bundle((config) => {
    printToken(config);
    mapped(GOOD)(config);
  });
  chownSync(bundle.rootfs, 100_000, 100_000);
  await expectRuns(host, bundle);
}

// biome-ignore format: a table
const BAD_MAPS: readonly [what: string, change: (config: Config) => void, knownBad?: string[]][] = [
  ['no map',                            mapped(undefined), ['crun 1.8.1']],
  ['no map of groups',                  mapped(GOOD, [])],
  ['an overlap',                        mapped([...GOOD, { containerID: 100, hostID: 300_000, size: 10 }])],
  ['an overlap on the host',            mapped([...GOOD, { containerID: 70_000, hostID: 100_000, size: 10 }])],
  ['a size of 0',                       mapped([{ containerID: 0, hostID: 100_000, size: 0 }])],
  ['a range that wraps',                mapped([{ containerID: 0, hostID: 4_294_967_290, size: 100 }])],
  ['a range that wraps inside',         mapped([...GOOD, { containerID: 4_294_967_290, hostID: 300_000, size: 100 }])],
  ['no id 0 for a process of uid 0',    mapped([{ containerID: 1000, hostID: 100_000, size: 10 }])],
  ['more than 340 lines',               mapped(MANY)],
  ['a negative id',                     mapped([{ containerID: 0, hostID: -1, size: 10 }])],
  ['maps but no user namespace',        (config) => { config.linux.uidMappings = GOOD; config.linux.gidMappings = GOOD; }, ['runc 1.1.5', 'crun 1.8.1']],
  ['a map and the path of a namespace', (config) => { mapped(GOOD)(config); addNamespace(config, { type: 'user', path: '/proc/self/ns/user' }); }],
];

describe('a user namespace', () => {
  for (const [what, change, knownBad = []] of BAD_MAPS) {
    itResists(`with ${what} is refused`, { knownBad, control, attack: refuses(change, /./) });
  }
});
