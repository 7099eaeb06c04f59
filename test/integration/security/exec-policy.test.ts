/** CVE-2022-29162, CVE-2026-30892 and others: exec gives what the container has, not more. Cases E-05 to E-07. */

import { describe, expect } from 'vitest';
import { itResists } from '../../support/attack.ts';
import { terminal } from '../../support/compile.ts';
import type { TestHost } from '../../support/host.ts';
import { type ProbeReport, parseReport } from '../../support/probe-report.ts';
import { startSleeping } from '../../support/running.ts';

async function execReport(host: TestHost, id: string, flags: string[]): Promise<ProbeReport> {
  const { status, stdout, stderr } = await host.runtime.exec(id, ['/bin/probe'], { flags });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return parseReport(stdout);
}

const strictContainer = (host: TestHost): Promise<string> =>
  startSleeping(host, (config) => {
    config.process.user = { uid: 0, gid: 0, additionalGids: [77] };
    config.process.capabilities = {
      bounding: ['CAP_CHOWN'],
      effective: ['CAP_CHOWN'],
      permitted: ['CAP_CHOWN'],
    };
    config.process.noNewPrivileges = true;
  });

// biome-ignore format: a table
const USERS: readonly [user: string, uid: number, gid: number][] = [
  ['1',         1,    0],
  ['1:1',       1,    1],
  ['0:5',       0,    5],
  ['1000:1000', 1000, 1000],
];

describe('exec', () => {
  itResists('has the policy of the container', {
    attack: async (host) => {
      const id = await strictContainer(host);
      const report = await execReport(host, id, []);
      expect(report).toMatchObject({
        noNewPrivileges: true,
        groups: [77],
        keepCapabilities: false,
        securebits: 0,
      });
      expect(report.capabilities).toEqual({
        bounding: ['CAP_CHOWN'],
        effective: ['CAP_CHOWN'],
        permitted: ['CAP_CHOWN'],
        inheritable: [],
        ambient: [],
      });
    },
  });

  itResists('with --cap has that one more, still no new privileges, and an empty inheritable set', {
    knownBad: ['crun 1.8.1'],
    attack: async (host) => {
      const id = await strictContainer(host);
      const report = await execReport(host, id, ['--cap', 'CAP_KILL']);
      expect(report.noNewPrivileges).toBe(true);
      expect(report.capabilities.bounding).toEqual(['CAP_CHOWN', 'CAP_KILL']);
      expect(report.capabilities.inheritable).toEqual([]);
      expect(report.capabilities.ambient).toEqual([]);
    },
  });

  for (const [user, uid, gid] of USERS) {
    itResists(`with --user ${user} is exactly that user`, {
      attack: async (host) => {
        const report = await execReport(host, await strictContainer(host), ['--user', user]);
        expect(report.uids).toEqual({ real: uid, effective: uid, saved: uid, filesystem: uid });
        expect(report.gids).toEqual({ real: gid, effective: gid, saved: gid, filesystem: gid });
        if (uid !== 0) expect(report.capabilities.effective).toEqual([]);
      },
    });
  }

  // The image's passwd has an entry with the name 4294967296 and the uid 0.
  for (const user of [
    '4294967296',
    '-1',
    '4294967295',
    '1e3',
    '0x0',
    '1:',
    '1:-1',
    '1:4294967296',
    ' 1',
    '1.0',
    'root;',
  ]) {
    itResists(`with --user ${JSON.stringify(user)} is refused`, {
      // runc before 1.2 looks a number that is too large up as a name.
      knownBad: /4294967296/.test(user) ? ['runc 1.1.5'] : [],
      attack: async (host) => {
        const id = await strictContainer(host);
        const outcome = await host.runtime.exec(id, ['/bin/id', '-u'], { flags: [`--user=${user}`] });
        expect(outcome.stdout).toBe('');
        expect(outcome.status).not.toBe(0);
      },
    });
  }
});

describe('a hostile container', () => {
  const OVERMOUNTS = [
    'mount -t tmpfs tmpfs /proc',
    'mount -t tmpfs tmpfs /dev',
    'mount -t tmpfs tmpfs /sys',
    'mount -t tmpfs tmpfs /etc; /bin/busybox mkfifo /etc/passwd /etc/group',
    'mount --bind /etc /proc/self',
  ];
  for (const overmount of OVERMOUNTS) {
    itResists(`that has done "${overmount}" neither hangs nor fools exec`, {
      // runc before 1.2 waits for somebody to write into the FIFO.
      knownBad: overmount.includes('mkfifo') ? ['runc 1.1.5'] : [],
      attack: async (host) => {
        const id = await startSleeping(host, (config) => {
          config.root.readonly = false;
          for (const set of ['bounding', 'effective', 'permitted'] as const) {
            config.process.capabilities[set]?.push('CAP_SYS_ADMIN');
          }
          config.process.args = ['/bin/sh', '-c', `${overmount}; echo ready; while :; do sleep 1; done`];
        });
        // A program that asks no /etc/passwd itself: only what the runtime reads is tried here.
        const outcome = await host.runtime.exec(id, ['/bin/echo', 'ran'], { deadlineMs: 10_000 });
        if (outcome.status === 0) expect(outcome.stdout).toBe('ran\n');
        else expect(outcome.stdout).toBe('');
      },
    });
  }
});

describe('the terminal of the caller', () => {
  for (const isTerminal of [true, false]) {
    itResists(`gets nothing typed into it by the container (terminal ${isTerminal})`, {
      attack: async (host) => {
        const bundle = host.bundle((config) => {
          config.process.terminal = isTerminal;
          config.process.args = ['/bin/probe', 'inject', 'typed-by-container\n'];
        });
        const run = host.runtime.argv('run', [host.id()], { flags: ['-b', bundle.directory] });
        // What is in the terminal's input after the container has ended, if anything.
        const script = '"$@"; stty -icanon min 0 time 3; echo "left:[$(cat)]"';
        const child = host.spawn(
          [terminal(), 'run', '24', '80', '--', 'sh', '-c', script, 'sh', ...run],
          'inject',
          'open',
        );
        await child.finished;
        expect(child.stdout()).toContain('left:[]');
        expect(child.stdout()).not.toMatch(/left:\[.+\]/s);
      },
    });
  }
});
