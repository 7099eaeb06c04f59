/** CVE-2026-57231: entries that take their value from the host. Case C-07. */

import { describe, expect } from 'vitest';
import { itResists, refuses } from '../../support/attack.ts';
import { parseReport, reportOf } from '../../support/probe-report.ts';
import { startSleeping } from '../../support/running.ts';

const CALLER = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  SECRET: 'of-the-caller',
  LD_LIBRARY_PATH: '/nonexistent',
  NODE_OPTIONS: '--no-deprecation',
  LISTEN_FDS: '1',
  LISTEN_PID: '1',
  GODEBUG: 'x=1',
  HOME: '/callers-home',
};

describe('the environment of the process', () => {
  itResists("has nothing of the caller's", {
    attack: async (host) => {
      const { env } = await reportOf(
        host,
        (config) => {
          config.process.env = ['A=1'];
        },
        { env: CALLER },
      );
      expect([...env].sort()).toEqual(['A=1', 'HOME=/root']);
    },
  });

  itResists("has nothing of the caller's with exec", {
    attack: async (host) => {
      const id = await startSleeping(host, (config) => {
        config.process.env = ['A=1'];
      });
      const { status, stdout } = await host.runtime.exec(id, ['/bin/probe'], { env: CALLER });
      expect(status).toBe(0);
      expect([...parseReport(stdout).env].sort()).toEqual(['A=1', 'HOME=/root']);
    },
  });

  for (const entry of ['SECRET', '*', 'SECRET*', '']) {
    itResists(`has no ${JSON.stringify(entry)} that the caller would fill`, {
      attack: refuses((config) => {
        config.process.env.push(entry);
      }, /env/i),
    });
  }
});
