/** The same bundle under hull, runc and crun: the process inside must see the same, but for what is owned up to. */

import { describe, expect, it } from 'vitest';
import type { ConfigChange } from '../support/bundle.ts';
import { addNamespace } from '../support/config.ts';
import { explains, knownDifferences } from '../support/conformance-table.ts';
import { TestHost } from '../support/host.ts';
import { parseReport } from '../support/probe-report.ts';
import {
  comparable,
  type Difference,
  differences,
  type FlatReport,
  flatten,
} from '../support/report-difference.ts';
import { findRuntime } from '../support/runtime.ts';

const REFERENCE = 'runc';
const PEERS = ['hull', 'crun'];

// biome-ignore format: a table
const BUNDLES: readonly [what: string, change: ConfigChange][] = [
  ['as runc spec prints it',      () => {}],
  ['of a user without rights',    (config) => {
    config.process.user = { uid: 1000, gid: 1000, additionalGids: [5, 77], umask: 0o27 };
    config.process.capabilities = {};
    config.process.cwd = '/tmp';
  }],
  ['with few namespaces',         (config) => {
    config.linux.namespaces = [{ type: 'mount' }, { type: 'pid' }];
    delete config.hostname;
    config.mounts = config.mounts.filter(({ destination }) => destination !== '/sys' && destination !== '/sys/fs/cgroup');
  }],
  ['with a cgroup namespace',     (config) => addNamespace(config, { type: 'cgroup' })],
  ['with a writable root',        (config) => {
    config.root.readonly = false;
    config.linux.maskedPaths = [];
    config.linux.readonlyPaths = [];
  }],
  ['with mounts of many kinds',   (config) => {
    config.root.readonly = false;
    config.mounts.push(
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'noexec', 'size=1m', 'mode=1777'] },
      { destination: '/mnt/ro', type: 'bind', source: '/usr/share', options: ['rbind', 'ro', 'nosuid'] },
      { destination: '/mnt/file', type: 'bind', source: '/etc/hostname', options: ['bind', 'ro'] },
      { destination: '/mnt/slave', type: 'bind', source: '/usr/share', options: ['bind', 'rslave'] },
    );
  }],
  ['with devices',                (config) => {
    config.linux.devices = [
      { type: 'c', path: '/dev/test-zero', major: 1, minor: 5, fileMode: 0o640, uid: 3, gid: 4 },
      { type: 'p', path: '/dev/test-fifo', fileMode: 0o600 },
    ];
  }],
  ['with limits and sysctls',     (config) => {
    config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 64, hard: 64 }, { type: 'RLIMIT_CORE', soft: 0, hard: 0 }];
    config.process.oomScoreAdj = 100;
    config.linux.sysctl = { 'net.ipv4.ip_forward': '1', 'kernel.msgmax': '9000' };
  }],
  ['with new privileges allowed', (config) => {
    config.process.noNewPrivileges = false;
    for (const set of ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const) {
      config.process.capabilities[set] = ['CAP_CHOWN', 'CAP_SYS_ADMIN', 'CAP_NET_RAW'];
    }
  }],
];

/** Each runtime has a machine of its own, but the bundle is the same: nothing of a path may differ. */
async function reportUnder(selection: string, change: ConfigChange): Promise<FlatReport> {
  await using host = await TestHost.open(selection);
  const id = host.id();
  const bundle = host.bundle(change);
  const { status, stdout, stderr } = await host.runtime.run(id, bundle);
  expect(status, `${selection}: ${stderr}`).toBe(0);
  const text = stdout.replaceAll(host.scratch, '/SCRATCH');
  return flatten(comparable(parseReport(text), id));
}

const rows = knownDifferences();
const used = new Set<string>();

function unexplained(found: readonly Difference[], runtime: string): string[] {
  const left: string[] = [];
  for (const { path, expected, actual } of found) {
    const row = rows.find((candidate) => explains(candidate, path, runtime));
    if (row === undefined) left.push(`${path}: ${REFERENCE} ${expected}, ${runtime} ${actual}`);
    else used.add(`${row.path} ${row.runtime}`);
  }
  return left;
}

describe('a process in a container', () => {
  for (const [what, change] of BUNDLES) {
    for (const peer of PEERS) {
      it(`${what} sees the same under ${peer} as under ${REFERENCE}`, async () => {
        const expected = await reportUnder(REFERENCE, change);
        const actual = await reportUnder(peer, change);
        const { name, label } = findRuntime(peer);
        expect(expected.size).toBeGreaterThan(200);
        expect(unexplained(differences(expected, actual), name === 'hull' ? name : label)).toEqual([]);
      });
    }
  }

  it('is never different in a way that docs/conformance.md only imagines', () => {
    const unused = rows.filter(({ path, runtime }) => !used.has(`${path} ${runtime}`));
    expect(unused.map(({ path, runtime }) => `${path} ${runtime}`)).toEqual([]);
  });
});
