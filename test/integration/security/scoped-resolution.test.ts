/** CVE-2019-18837 and later ones: every name is resolved in the image, with and without openat2(2). Case M-10. */

import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { itResists, printToken } from '../../support/attack.ts';
import type { Bundle } from '../../support/bundle.ts';
import type { Outcome } from '../../support/child.ts';
import type { TestHost } from '../../support/host.ts';
import { without } from '../../support/steps.ts';

/** What an older kernel, or an engine's own seccomp profile, takes away. */
// biome-ignore format: a table
const KERNELS: readonly [what: string, missing: string[]][] = [
  ['this kernel',                 []],
  ['no openat2',                  ['openat2']],
  ['no new mount calls',          ['fsopen', 'fsmount', 'open_tree', 'move_mount', 'mount_setattr']],
  ['no close_range',              ['close_range']],
];

function makeLinks(bundle: Bundle, host: TestHost): void {
  mkdirSync(bundle.inside('real'));
  symlinkSync('/', bundle.inside('root'));
  symlinkSync('../../../../..', bundle.inside('up'));
  symlinkSync(`../../../../../..${host.canary}/new`, bundle.inside('etc/dangling'));
  symlinkSync('loop', bundle.inside('loop'));
  symlinkSync('/proc/self/root', bundle.inside('magic'));
  symlinkSync('/proc/1/root', bundle.inside('magic1'));
  symlinkSync('real', bundle.inside('link0'));
  for (let number = 1; number <= 41; number++)
    symlinkSync(`link${number - 1}`, bundle.inside(`link${number}`));
}

const outsideOf = (host: TestHost): string => host.canary.slice(1);

// biome-ignore format: a table
const DESTINATIONS: readonly [what: string, destination: (host: TestHost) => string][] = [
  ['through a link to /',          (host) => `/root/${outsideOf(host)}/through-root`],
  ['through a link upwards',       (host) => `/up/${outsideOf(host)}/through-up`],
  ['through a dangling link',      () => '/etc/dangling'],
  ['beneath a dangling link',      () => '/etc/dangling/deeper'],
  ['through a loop',               () => '/loop/x'],
  ['through /proc/self/root',      (host) => `/magic/${outsideOf(host)}/through-magic`],
  ['through /proc/1/root',         (host) => `/magic1/${outsideOf(host)}/through-magic`],
  ['through 41 links',             () => '/link41/x'],
  ['with dots upwards',            (host) => `/real/../../../../../${outsideOf(host)}/dots`],
  ['with empty parts and dots',    () => '//real/.//x/'],
];

async function mountOn(host: TestHost, destination: string, missing: readonly string[]): Promise<Outcome> {
  const bundle = host.bundle((config) => {
    printToken(config);
    config.root.readonly = false;
    config.mounts.push({ destination, type: 'tmpfs', source: 'tmpfs' });
  });
  makeLinks(bundle, host);
  const under = missing.length > 0 ? without(...missing) : [];
  return host.runtime.run(host.id(), bundle, { under });
}

describe('a mount', () => {
  for (const [kernel, missing] of KERNELS) {
    for (const [what, destination] of DESTINATIONS) {
      itResists(`${what} stays inside, with ${kernel}`, {
        attack: async (host) => {
          await mountOn(host, destination(host), missing);
          expect(await host.differences()).toEqual([]);
        },
      });
    }

    itResists(`without tricks works, or is refused as a whole, with ${kernel}`, {
      attack: async (host) => {
        const { status, stdout, stderr } = await mountOn(host, '/real/x', missing);
        if (missing.length === 0) expect({ status, stdout }).toEqual({ status: 0, stdout: 'it-runs\n' });
        else expect(status === 0 || stderr !== '').toBe(true);
      },
    });
  }
});

describe('a device', () => {
  for (const [what, at] of [
    ['beneath a link out of the image', '/out/node'],
    ['in place of a link out of the image', '/dev-link'],
  ] as const) {
    itResists(`${what} is made inside, or not at all`, {
      attack: async (host) => {
        const bundle = host.bundle((config) => {
          printToken(config);
          config.root.readonly = false;
          config.linux.devices = [
            { type: 'c', path: at, major: 1, minor: 3, fileMode: 0o666, uid: 7, gid: 7 },
          ];
        });
        symlinkSync(host.canary, bundle.inside('out'));
        symlinkSync(`${host.canary}/canary`, bundle.inside('dev-link'));
        await host.runtime.run(host.id(), bundle);
        expect(await host.differences()).toEqual([]);
      },
    });
  }
});

describe('a current directory that is made', () => {
  itResists('beneath a link out of the image is made inside, or not at all', {
    attack: async (host) => {
      const bundle = host.bundle((config) => {
        printToken(config);
        config.root.readonly = false;
        config.process.cwd = '/out/made';
      });
      symlinkSync(host.canary, bundle.inside('out'));
      await host.runtime.run(host.id(), bundle);
      expect(await host.differences()).toEqual([]);
    },
  });
});

describe('a list of paths to hide', () => {
  itResists('may name links, which are hidden where they lead inside', {
    attack: async (host) => {
      const bundle = host.bundle((config) => {
        config.linux.maskedPaths = [
          '/link',
          '/out/canary',
          '/up/etc/shadow',
          '/loop',
          '/etc/passwd/not-a-directory',
        ];
        config.linux.readonlyPaths = ['/out', '/link'];
        printToken(config);
      });
      writeFileSync(bundle.inside('secret'), 'x');
      symlinkSync('secret', bundle.inside('link'));
      symlinkSync(host.canary, bundle.inside('out'));
      symlinkSync('../../..', bundle.inside('up'));
      symlinkSync('loop', bundle.inside('loop'));
      await host.runtime.run(host.id(), bundle);
      expect(statSync(`${host.canary}/canary`).size).toBeGreaterThan(0);
      expect(await host.differences()).toEqual([]);
    },
  });
});
