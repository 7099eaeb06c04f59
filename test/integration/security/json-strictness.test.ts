/** CVE-2021-43784, CVE-2024-40635 and others: strings that end early, numbers that wrap. Case C-05. */

import { readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { expectRefused, itResists, printToken } from '../../support/attack.ts';
import type { Config } from '../../support/config.ts';
import type { TestHost } from '../../support/host.ts';

const DEADLINE_MS = 5_000;

type Change = (config: Config) => void;

async function refuse(host: TestHost, change: Change, reason: RegExp): Promise<void> {
  const bundle = host.bundle((config) => {
    printToken(config);
    change(config);
  });
  await expectRefused(host, bundle, reason, { deadlineMs: DEADLINE_MS });
}

/** Puts text into the JSON itself, for what no object can hold. */
async function refuseText(
  host: TestHost,
  edit: (text: string) => string | Uint8Array,
  reason: RegExp,
): Promise<void> {
  const bundle = host.bundle(printToken);
  bundle.writeConfig(edit(readFileSync(bundle.configPath, 'utf8')));
  await expectRefused(host, bundle, reason, { deadlineMs: DEADLINE_MS });
}

const NUL = 'before\0after';
const tmpfs = { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' };

// Where the last column says so, the named runtime cuts the string at the NUL, or takes it for another field.
// biome-ignore format: a table
const WITH_NUL: readonly [field: string, change: Change, knownBad?: string[]][] = [
  ['process.args[0]',        (config) => { config.process.args = ['/bin/echo\0x', 'it-runs']; }],
  ['process.args[1]',        (config) => { config.process.args = ['/bin/echo', 'it-runs\0x']; }],
  ['process.env',            (config) => { config.process.env.push(`A=${NUL}`); }],
  ['process.cwd',            (config) => { config.process.cwd = '/\0x'; }],
  ['hostname',               (config) => { config.hostname = NUL; }, ['runc 1.1.5']],
  ['root.path',              (config) => { config.root.path = 'rootfs\0x'; }],
  ['mounts[].destination',   (config) => { config.mounts.push({ ...tmpfs, destination: '/tmp\0x' }); }],
  ['mounts[].source',        (config) => { config.mounts.push({ destination: '/tmp', type: 'bind', source: '/tmp\0x', options: ['bind'] }); }],
  ['mounts[].type',          (config) => { config.mounts.push({ ...tmpfs, type: 'tmpfs\0x' }); }],
  ['mounts[].options',       (config) => { config.mounts.push({ ...tmpfs, options: ['size=64k\0x'] }); }],
  ['linux.maskedPaths',      (config) => { config.linux.maskedPaths.push('/etc\0x'); }],
  ['linux.readonlyPaths',    (config) => { config.linux.readonlyPaths.push('/etc\0x'); }],
  ['linux.devices[].path',   (config) => { config.linux.devices = [{ type: 'c', path: '/dev/a\0x', major: 1, minor: 3 }]; }],
  ['linux.sysctl',           (config) => { config.linux.sysctl = { 'net.ipv4.ip_forward\0x': '1' }; }],
  ['linux.cgroupsPath',      (config) => { config.linux.cgroupsPath = '/ht\0x'; }],
  ['linux.namespaces[].path', (config) => { config.linux.namespaces.push({ type: 'cgroup', path: '/proc/self/ns/cgroup\0x' }); }],
  ['hooks.createRuntime[].path', (config) => { config.hooks = { createRuntime: [{ path: '/bin/true\0x' }] }; }],
];

describe('a NUL', () => {
  for (const [field, change, knownBad = []] of WITH_NUL) {
    itResists(`in ${field} is refused`, { knownBad, attack: (host) => refuse(host, change, /./) });
  }
});

// biome-ignore format: a table
const BAD_IDS: readonly [text: string, knownBad?: string[]][] = [
  ['4294967296'], ['-1'], ['0.5'], ['"0"', ['crun 1.8.1']], ['1e99'], ['4294967295'], ['[0]'], ['{}'], ['true'],
];

describe('an id', () => {
  for (const field of ['uid', 'gid']) {
    for (const [text, knownBad = []] of BAD_IDS) {
      itResists(`of ${text} as ${field} is refused`, {
        knownBad,
        attack: (host) =>
          refuseText(host, (json) => json.replace(`"${field}": 0`, `"${field}": ${text}`), /./),
      });
    }
  }

  itResists('of 4294967296 in additionalGids is refused', {
    attack: (host) =>
      refuse(
        host,
        (config) => {
          config.process.user.additionalGids = [4294967296];
        },
        /./,
      ),
  });
});

// biome-ignore format: a table
const STRANGE: readonly [what: string, change: Change, knownBad?: string[]][] = [
  ['an empty program name',          (config) => { config.process.args = ['', 'it-runs']; }],
  ['a variable without a value',     (config) => { config.process.env.push('NAME'); }],
  ['a variable without a name',      (config) => { config.process.env.push('=value'); }],
  ['a host name of 65 bytes',        (config) => { config.hostname = 'h'.repeat(65); }],
  ['a source of 70,000 bytes',       (config) => { config.mounts.push({ destination: '/tmp', type: 'bind', source: `/${'s'.repeat(70_000)}`, options: ['bind'] }); }],
  ['a destination of 70,000 bytes',  (config) => { config.mounts.push({ ...tmpfs, destination: `/${'d'.repeat(70_000)}` }); }],
  ['a directory of 70,000 bytes',    (config) => { config.process.cwd = `/${'c'.repeat(70_000)}`; }],
  ['a limit below zero',             (config) => { config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: -1, hard: -1 }]; }],
  ['an umask that is no mode',       (config) => { Object.assign(config.process.user, { umask: '0022' }); }],
];

describe('a configuration', () => {
  for (const [what, change, knownBad = []] of STRANGE) {
    itResists(`with ${what} is refused`, { knownBad, attack: (host) => refuse(host, change, /./) });
  }

  // Go and C parsers take the last: what one program has checked, the next one does not see.
  itResists('that has a key twice is refused', {
    knownBad: ['runc 1.1.5', 'crun 1.8.1'],
    attack: (host) =>
      refuseText(host, (json) => json.replace('"hostname":', '"hostname": "first", "hostname":'), /hostname/),
  });

  itResists('with 20,000 lists in each other is refused, without a crash', {
    attack: (host) =>
      refuseText(
        host,
        (json) => json.replace('"hostname":', `"x": ${'['.repeat(20_000)}${']'.repeat(20_000)}, "hostname":`),
        /./,
      ),
    knownBad: ['crun 1.8.1'],
  });

  itResists('of 64 MiB is refused in time', {
    knownBad: ['runc 1.1.5'],
    attack: (host) =>
      refuseText(
        host,
        (json) => json.replace('"hostname":', `"x": "${'x'.repeat(64 << 20)}", "hostname":`),
        /./,
      ),
  });

  itResists('that is not UTF-8 is refused', {
    knownBad: ['runc 1.1.5'],
    attack: (host) =>
      refuseText(host, (json) => Buffer.from(json.replace('"runc"', '"\u00ff"'), 'latin1'), /./),
  });

  itResists('followed by something else is refused', {
    knownBad: ['runc 1.1.5'],
    attack: (host) => refuseText(host, (json) => `${json}\n{"hostname": "second"}`, /./),
  });

  itResists('that is a FIFO does not hang the runtime', {
    knownBad: ['runc 1.1.5'],
    attack: async (host) => {
      const bundle = host.bundle(printToken);
      host.inside('rm', bundle.configPath);
      host.inside('mkfifo', bundle.configPath);
      const outcome = await host.runtime.run(host.id(), bundle, { deadlineMs: DEADLINE_MS });
      expect(outcome.status).toBe(1);
    },
  });
});
