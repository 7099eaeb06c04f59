/**
 * CVE-2021-30465, CVE-2024-45310, GHSA-3q8j-pf29-vwv8: another container exchanges a directory for a link while the
 * runtime works. Cases M-07, M-08 and M-11. The stepper does it before each call that names the directory, in turn.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { expectRuns, itResists, printToken } from '../../support/attack.ts';
import type { Bundle } from '../../support/bundle.ts';
import type { Outcome } from '../../support/child.ts';
import type { Config } from '../../support/config.ts';
import type { TestHost } from '../../support/host.ts';
import { CHANGE_FAILED, exchangeAt, listedSteps, listSteps, NEVER_FIRED } from '../../support/steps.ts';

interface Race {
  readonly change: (config: Config, host: TestHost) => void;
  /** Puts the two entries to exchange into the image; gives their paths. */
  readonly prepare: (bundle: Bundle, host: TestHost) => [one: string, other: string];
  /** Which calls to step before. */
  readonly match: string;
  /** A later one than the first, where the first is the one and only resolution, and whoever comes before wins. */
  readonly from?: number;
  readonly check?: (outcome: Outcome, bundle: Bundle) => void;
}

function makeBundle(host: TestHost, race: Race): Bundle {
  return host.bundle((config) => {
    printToken(config);
    config.root.readonly = false;
    race.change(config, host);
  });
}

/** The twin: nobody exchanges anything, and the listing shows which calls there are. */
async function countSteps(host: TestHost, race: Race): Promise<number> {
  const bundle = makeBundle(host, race);
  race.prepare(bundle, host);
  const outcome = await host.runtime.run(host.id(), bundle, { under: listSteps(race.match) });
  expect(outcome.status, outcome.stderr).toBe(0);
  const steps = listedSteps(outcome.stderr);
  expect(steps.length, 'the runtime names the directory at least once').toBeGreaterThan(0);
  return steps.length;
}

async function sweep(host: TestHost, race: Race): Promise<void> {
  const count = await countSteps(host, race);
  for (let number = race.from ?? 1; number <= count; number++) {
    const bundle = makeBundle(host, race);
    const [one, other] = race.prepare(bundle, host);
    const under = exchangeAt({ match: race.match, number }, one, other);
    const outcome = await host.runtime.run(host.id(), bundle, { under });
    expect([NEVER_FIRED, CHANGE_FAILED], `step ${number} of ${count}`).not.toContain(outcome.status);
    race.check?.(outcome, bundle);
    expect(await host.differences(), `exchanged before step ${number} of ${count}`).toEqual([]);
    rmSync(bundle.directory, { recursive: true });
  }
}

const control =
  (race: Race) =>
  async (host: TestHost): Promise<void> => {
    const bundle = makeBundle(host, race);
    race.prepare(bundle, host);
    await expectRuns(host, bundle);
  };

/** /vol/a is a directory, /vol/evil a link out of the image. */
function directoryAndLink(bundle: Bundle, host: TestHost): [string, string] {
  mkdirSync(bundle.inside('vol/a/m'), { recursive: true });
  symlinkSync(host.canary, bundle.inside('vol/evil'));
  return [bundle.inside('vol/a'), bundle.inside('vol/evil')];
}

const tmpfsOn =
  (destination: string) =>
  (config: Config): void => {
    config.mounts.push({ destination, type: 'tmpfs', source: 'tmpfs' });
  };

// biome-ignore format: a table
const CREATIONS: readonly [what: string, change: Race['change'], knownBad: string[]][] = [
  ['a directory for a mount',   tmpfsOn('/vol/a/b/c'),                                                ['runc 1.1.5']],
  ['a file for a mount',        (config, host) => { config.mounts.push({ destination: '/vol/a/newfile', type: 'bind', source: `${host.canary}/directory/file`, options: ['bind', 'ro'] }); }, ['runc 1.1.5']],
  ['a device',                  (config) => { config.linux.devices = [{ type: 'c', path: '/vol/a/dev0', major: 1, minor: 3, fileMode: 0o666 }]; }, ['runc 1.1.5']],
  ['the current directory',     (config) => { config.process.cwd = '/vol/a/work'; },                  []],
];

describe('a directory that becomes a link out of the image', () => {
  for (const [what, change, knownBad] of CREATIONS) {
    const race: Race = { change, prepare: directoryAndLink, match: 'vol/a' };
    itResists(`while the runtime makes ${what} changes nothing outside`, {
      knownBad,
      control: control(race),
      attack: (host) => sweep(host, race),
    });
  }

  const mounting: Race = { change: tmpfsOn('/vol/a/m'), prepare: directoryAndLink, match: 'vol/a/m' };
  itResists('while the runtime mounts on it has nothing mounted outside', {
    knownBad: ['runc 1.1.5'],
    control: control(mounting),
    attack: (host) => sweep(host, mounting),
  });

  // The second mount's source is beneath the first one's destination: what CVE-2021-30465 needed to get at /.
  const chained: Race = {
    change: (config, host) => {
      const source = host.path('volume');
      mkdirSync(source, { recursive: true });
      config.mounts.push(
        { destination: '/vol/a/m', type: 'bind', source, options: ['rbind'] },
        { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
      );
      config.process.args = ['/bin/sh', '-c', 'cat /vol/*/canary /tmp/canary; echo it-runs'];
    },
    prepare: directoryAndLink,
    match: 'vol/a/m',
    check: ({ stdout }) => expect(stdout).not.toContain('canary-'),
  };
  itResists('while the runtime binds on it shows nothing of the outside', {
    knownBad: ['runc 1.1.5'],
    attack: (host) => sweep(host, chained),
  });
});

const SECRET = 'secret-91c4';

function secretAndDecoy(bundle: Bundle): [string, string] {
  for (const name of ['sec', 'decoy']) mkdirSync(bundle.inside(name, 'dir'), { recursive: true });
  writeFileSync(bundle.inside('sec/dir/secret'), SECRET);
  writeFileSync(bundle.inside('decoy/dir/secret'), 'decoy\n');
  return [bundle.inside('sec'), bundle.inside('decoy')];
}

describe('a directory that is exchanged for another', () => {
  const masking: Race = {
    change: (config) => {
      config.linux.maskedPaths = ['/sec/dir'];
      config.process.args = ['/bin/sh', '-c', 'cat /sec/dir/secret /decoy/dir/secret; echo it-runs'];
    },
    prepare: secretAndDecoy,
    match: 'sec/dir',
    from: 2,
    check: ({ stdout }) => expect(stdout).not.toContain(SECRET),
  };
  itResists('while the runtime masks it stays masked', {
    knownBad: ['runc 1.1.5'],
    attack: (host) => sweep(host, masking),
  });

  const makingReadonly: Race = {
    change: (config) => {
      config.linux.readonlyPaths = ['/sec/dir'];
      config.process.args = [
        '/bin/sh',
        '-c',
        'echo x > /sec/dir/secret; echo x > /decoy/dir/secret; echo it-runs',
      ];
    },
    prepare: secretAndDecoy,
    match: 'sec/dir',
    from: 2,
    check: (_, bundle) => {
      const contents = execFileSync('cat', [
        bundle.inside('sec/dir/secret'),
        bundle.inside('decoy/dir/secret'),
      ]);
      expect(contents.toString()).toContain(SECRET);
      expect(readFileSync(bundle.configPath, 'utf8')).toContain('readonlyPaths');
    },
  };
  itResists('while the runtime makes it read-only stays read-only', {
    attack: (host) => sweep(host, makingReadonly),
  });
});
