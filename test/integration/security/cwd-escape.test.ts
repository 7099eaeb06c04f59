/** CVE-2024-21626: a current directory that is a descriptor of the host's. Cases C-01, C-02 and E-04. */

import { copyFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { itResists } from '../../support/attack.ts';
import { busybox } from '../../support/bundle.ts';
import { CANARY_TOKEN } from '../../support/canary.ts';
import type { Outcome } from '../../support/child.ts';
import type { TestHost } from '../../support/host.ts';
import { startSleeping } from '../../support/running.ts';

/** Climbs out of wherever it starts; in the container's root, where `..` ends at `/`, that finds nothing. */
const climb = (host: TestHost): string[] => [
  '/bin/sh',
  '-c',
  `/bin/readlink /proc/self/cwd; /bin/cat ../../../../../../../..${host.canary}/canary`,
];

function expectInside(outcome: Outcome): void {
  expect(outcome.stdout + outcome.stderr).not.toContain(CANARY_TOKEN);
  // Where it runs at all, its directory has a name in its own root.
  if (outcome.stdout !== '') expect(outcome.stdout).toMatch(/^\/(?!.*\(unreachable\)|.*outside)/);
}

/** Runs with a descriptor of the host's canary directory open as 9, as a careless engine would. */
const leaking = (directory: string): string[] => ['sh', '-c', 'exec 9<"$0"; exec "$@"', directory];

describe('a current directory', () => {
  itResists('of /proc/self/fd/N leads nowhere for any N', {
    attack: async (host) => {
      for (let fd = 3; fd <= 64; fd++) {
        const bundle = host.bundle((config) => {
          config.process.cwd = `/proc/self/fd/${fd}`;
          config.process.args = climb(host);
        });
        expectInside(await host.runtime.run(host.id(), bundle));
        rmSync(bundle.directory, { recursive: true });
      }
    },
  });

  itResists('of /proc/self/fd/N leads nowhere with exec --cwd', {
    control: async (host) => {
      const id = await startSleeping(host);
      expect((await host.runtime.exec(id, ['/bin/true'], { flags: ['--cwd', '/tmp'] })).status).toBe(0);
    },
    attack: async (host) => {
      const id = await startSleeping(host);
      for (let fd = 3; fd <= 24; fd++) {
        const flags = ['--cwd', `/proc/self/fd/${fd}`];
        expectInside(await host.runtime.exec(id, climb(host), { flags }));
      }
    },
  });

  for (const target of ['/proc/self/fd/7', '/proc/1/root', '/proc/self/cwd', '/proc/thread-self/fd/8']) {
    itResists(`that is a link to ${target} leads nowhere`, {
      attack: async (host) => {
        const bundle = host.bundle((config) => {
          config.process.cwd = '/work';
          config.process.args = climb(host);
        });
        symlinkSync(target, bundle.inside('work'));
        expectInside(await host.runtime.run(host.id(), bundle));
      },
    });
  }

  itResists('that the container replaces leads nowhere with exec --cwd', {
    attack: async (host) => {
      const swap = 'rm -rf /tmp/w; ln -s /proc/self/fd/7 /tmp/w; echo up; while :; do sleep 1; done';
      const id = await startSleeping(host, (config) => {
        config.root.readonly = false;
        config.process.args = ['/bin/sh', '-c', swap];
      });
      expectInside(await host.runtime.exec(id, climb(host), { flags: ['--cwd', '/tmp/w'] }));
    },
  });
});

describe('a descriptor that the caller leaks', () => {
  itResists('does not reach the process', {
    attack: async (host) => {
      const bundle = host.bundle((config) => {
        config.process.args = ['/bin/probe', 'fds'];
      });
      const { status, stdout } = await host.runtime.run(host.id(), bundle, { under: leaking(host.canary) });
      expect(status).toBe(0);
      const { descriptors } = JSON.parse(stdout) as { descriptors: { number: number }[] };
      expect(descriptors.map(({ number }) => number)).toEqual([0, 1, 2]);
    },
  });

  itResists('is no current directory', {
    knownBad: ['crun 1.8.1'],
    attack: async (host) => {
      const bundle = host.bundle((config) => {
        config.process.cwd = '/proc/self/fd/9';
        config.process.args = climb(host);
      });
      const outcome = await host.runtime.run(host.id(), bundle, { under: leaking(host.canary) });
      expectInside(outcome);
    },
  });

  itResists('is no way to a program of the host', {
    knownBad: ['crun 1.8.1'],
    attack: async (host) => {
      const programs = host.path('programs');
      mkdirSync(programs);
      copyFileSync(busybox(), `${programs}/busybox`);
      const bundle = host.bundle((config) => {
        config.process.args = ['/proc/self/fd/9/busybox', 'echo', 'from the host'];
      });
      const outcome = await host.runtime.run(host.id(), bundle, { under: leaking(programs) });
      expect(outcome.stdout).not.toContain('from the host');
      expect(outcome.status).not.toBe(0);
    },
  });

  itResists('does not reach a process of exec', {
    attack: async (host) => {
      const id = await startSleeping(host);
      const outcome = await host.runtime.exec(id, ['/bin/probe', 'fds'], { under: leaking(host.canary) });
      const { descriptors } = JSON.parse(outcome.stdout) as { descriptors: { number: number }[] };
      expect(descriptors.map(({ number }) => number)).toEqual([0, 1, 2]);
    },
  });

  itResists('is not passed by --preserve-fds of fewer', {
    attack: async (host) => {
      const bundle = host.bundle((config) => {
        config.process.args = ['/bin/probe', 'fds'];
      });
      const under = ['sh', '-c', 'exec 3</dev/null 9<"$0"; exec "$@"', host.canary];
      const { stdout } = await host.runtime.run(host.id(), bundle, { under, flags: ['--preserve-fds', '1'] });
      const { descriptors } = JSON.parse(stdout) as { descriptors: { number: number }[] };
      expect(descriptors.map(({ number }) => number)).toEqual([0, 1, 2, 3]);
    },
  });
});
