/** CVE-2019-16884, CVE-2019-19921, CVE-2023-27561: what is mounted, and where. Cases M-01, M-03 and M-04. */

import { mkdirSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe } from 'vitest';
import { expectRefused, expectRuns, itResists, printToken } from '../../support/attack.ts';
import type { Bundle } from '../../support/bundle.ts';
import type { Mount } from '../../support/config.ts';
import type { TestHost } from '../../support/host.ts';

// biome-ignore format: a table
const NOT_A_DIRECTORY: readonly [what: string, replace: (at: string, bundle: Bundle, host: TestHost) => void][] = [
  ['a link to a directory of the image', (at, bundle) => { mkdirSync(bundle.inside('bad')); symlinkSync('/bad', at); }],
  ['a relative link',                    (at, bundle) => { mkdirSync(bundle.inside('bad')); symlinkSync('bad', at); }],
  ['a link that leaves the image',       (at, _, host) => symlinkSync(host.canary, at)],
  ['a link that climbs out',             (at, _, host) => symlinkSync(`../../../../../..${host.canary}`, at)],
  ['a link to nothing',                  (at) => symlinkSync('/nothing/here', at)],
  ['a link to itself',                   (at) => symlinkSync('proc', at)],
  ['a file',                             (at) => writeFileSync(at, '')],
];

describe('a filesystem of the kernel', () => {
  for (const name of ['proc', 'sys']) {
    for (const [what, replace] of NOT_A_DIRECTORY) {
      itResists(`is not mounted where the image has ${what} for /${name}`, {
        attack: async (host) => {
          const bundle = host.bundle(printToken);
          rmdirSync(bundle.inside(name));
          replace(bundle.inside(name), bundle, host);
          await expectRefused(host, bundle, new RegExp(`${name}|ordinary directory`));
        },
      });
    }
  }
});

/** Binds a directory of the host on `destination`. */
async function bindOn(
  host: TestHost,
  destination: string,
  prepare: (bundle: Bundle) => void = () => {},
): Promise<Bundle> {
  const source = host.directory('source');
  const bundle = host.bundle((config) => {
    printToken(config);
    config.mounts.push({ destination, type: 'bind', source, options: ['rbind'] });
  });
  prepare(bundle);
  return bundle;
}

async function bindOnCpuinfo(host: TestHost): Promise<void> {
  const source = host.path('cpuinfo');
  writeFileSync(source, 'processor: 0\n');
  const mount: Mount = { destination: '/proc/cpuinfo', type: 'bind', source, options: ['bind', 'ro'] };
  const bundle = host.bundle((config) => {
    printToken(config);
    config.mounts.push(mount);
  });
  await expectRuns(host, bundle);
}

describe('a mount over /proc', () => {
  const DESTINATIONS = [
    '/proc',
    '/proc/',
    '//proc//sys',
    '/proc/self',
    '/proc/self/attr',
    '/proc/sys',
    '/proc/sys/kernel',
    '/proc/1',
    '/proc/../proc/sys',
    '/tmp/../proc/sys',
    'proc/sys',
  ];
  for (const destination of DESTINATIONS) {
    itResists(`by a bind on ${destination} is refused`, {
      knownBad: ['crun 1.8.1'],
      control: bindOnCpuinfo,
      attack: async (host) => {
        await expectRefused(host, await bindOn(host, destination), /proc/);
      },
    });
  }

  itResists('by a tmpfs is refused', {
    knownBad: ['crun 1.8.1'],
    control: bindOnCpuinfo,
    attack: async (host) => {
      const bundle = host.bundle((config) => {
        printToken(config);
        config.mounts.push({ destination: '/proc', type: 'tmpfs', source: 'tmpfs' });
        // Without these, a runtime does not stumble over the missing files later and refuse by accident.
        config.linux.maskedPaths = [];
        config.linux.readonlyPaths = [];
      });
      await expectRefused(host, bundle, /proc/);
    },
  });

  for (const [link, target, destination] of [
    ['innocent', '/proc/sys', '/innocent'],
    ['a', 'proc/self', '/a/attr'],
    ['b', '/proc', '/b/sys'],
    ['c', '../../../proc', '/c/sys/kernel'],
  ] as const) {
    itResists(`by a bind on ${destination}, where /${link} is a link to ${target}, is refused`, {
      knownBad: ['crun 1.8.1'],
      control: bindOnCpuinfo,
      attack: async (host) => {
        const bundle = await bindOn(host, destination, (made) => symlinkSync(target, made.inside(link)));
        await expectRefused(host, bundle, /proc/);
      },
    });
  }
});

describe('a mount over the root', () => {
  for (const destination of ['/', '//', '/.', '/tmp/..', '/../..', '.']) {
    itResists(`by a bind on ${destination} is refused or harmless`, {
      attack: async (host) => {
        const bundle = await bindOn(host, destination);
        rmSync(host.path('source'), { recursive: true });
        mkdirSync(host.path('source'));
        await host.runtime.run(host.id(), bundle);
      },
    });
  }
});
