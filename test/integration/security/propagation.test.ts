/** CVE-2025-38498 and others: mounts that get out, an old root that stays. Case M-14. */

import { readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { itResists } from '../../support/attack.ts';
import type { TestHost } from '../../support/host.ts';
import { reportOf } from '../../support/probe-report.ts';

/** As systemd sets up a machine: what is mounted anywhere is mounted for everybody. */
function shareMounts(host: TestHost): void {
  host.inside('mount', '--make-rshared', '/');
  host.remember();
}

const mountCount = (host: TestHost): number =>
  readFileSync(`/proc/${host.namespacePid}/mountinfo`, 'utf8').trim().split('\n').length;

describe('mounts of a container', () => {
  for (const propagation of [undefined, 'private', 'slave', 'rprivate', 'rslave']) {
    itResists(`do not get out where the host shares its mounts and rootfsPropagation is ${propagation}`, {
      attack: async (host) => {
        shareMounts(host);
        const report = await reportOf(host, (config) => {
          if (propagation !== undefined) config.linux.rootfsPropagation = propagation;
        });
        expect(report.mounts.length).toBeGreaterThan(5);
        expect(await host.differences()).toEqual([]);
      },
    });
  }

  itResists('by the hundred do not get out', {
    attack: async (host) => {
      shareMounts(host);
      const before = mountCount(host);
      const bundle = host.bundle((config) => {
        config.process.args = ['/bin/true'];
        config.root.readonly = false;
        for (let number = 0; number < 200; number++) {
          config.mounts.push({ destination: `/many/${number}`, type: 'tmpfs', source: 'tmpfs' });
        }
      });
      expect((await host.runtime.run(host.id(), bundle)).status).toBe(0);
      expect(mountCount(host)).toBe(before);
    },
  });
});

describe('the old root', () => {
  itResists('is not among the mounts of the container', {
    attack: async (host) => {
      const { mounts } = await reportOf(host);
      const roots = mounts.filter(({ destination }) => destination === '/');
      expect(roots.map(({ root }) => root)).toEqual([expect.stringContaining('/rootfs')]);
      for (const { destination, root } of mounts) {
        if (!destination.startsWith('/sys/fs/cgroup'))
          expect(root, destination).not.toContain('/sys/fs/cgroup');
      }
    },
  });

  itResists('cannot be reached through /proc/1/root', {
    attack: async (host) => {
      const bundle = host.bundle((config) => {
        config.process.args = [
          '/bin/sh',
          '-c',
          `ls /proc/1/root/../../..${host.scratch}; ls /..${host.scratch}; pwd`,
        ];
      });
      const { stdout } = await host.runtime.run(host.id(), bundle);
      expect(stdout).toBe('/\n');
    },
  });

  itResists('is gone, so that no program of the host can be reached with --no-pivot either', {
    attack: async (host) => {
      const bundle = host.bundle((config) => {
        config.process.args = ['/bin/sh', '-c', `ls ${host.canary} /..${host.canary}; echo done`];
      });
      const { status, stdout } = await host.runtime.run(host.id(), bundle, { flags: ['--no-pivot'] });
      if (status === 0) expect(stdout).toBe('done\n');
    },
  });
});
