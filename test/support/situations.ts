/** Configurations in which a process has to see the same under hull and its peers. */

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Bundle } from './bundle.ts';
import { addNamespace, type Config, type Mount } from './config.ts';
import { listenForConsole, reportThrough } from './console.ts';
import type { TestHost } from './host.ts';
import { AS_USER, addOrdinaryUser, giveTo, OWN_ID_AND_RANGE, ordinaryBundle } from './ordinary-user.ts';
import { type ProbeReport, parseReport } from './probe-report.ts';
import type { CallOptions } from './runtime.ts';

export interface Situation {
  readonly name: string;
  readonly prepare: (host: TestHost) => Bundle;
  /** How the runtime is called; from a terminal's other end where there is one. */
  readonly options?: CallOptions;
  readonly terminal?: true;
}

export const SITUATIONS: readonly Situation[] = [
  { name: 'as runc spec prints it', prepare: (host) => host.bundle() },
  { name: 'of a user, with everything', prepare: userWithEverything },
  { name: 'of root, with everything', prepare: rootWithEverything },
  { name: 'with mounts of all kinds', prepare: mountsOfAllKinds },
  { name: 'with a user namespace', prepare: userNamespace },
  { name: 'with no namespace but that of mounts', prepare: (host) => host.bundle(shareNamespaces) },
  { name: 'with a writable root and nothing hidden', prepare: (host) => host.bundle(openUp) },
  { name: 'with a terminal', prepare: (host) => host.bundle(useTerminal), terminal: true },
  { name: 'of an ordinary user', prepare: ordinary, options: AS_USER },
];

/** Runs the probe in this situation, under the host's runtime. */
export async function reportIn(host: TestHost, id: string, situation: Situation): Promise<ProbeReport> {
  const bundle = situation.prepare(host);
  const { options = {} } = situation;
  if (situation.terminal === true) {
    const { receiver, flags } = await listenForConsole(host);
    await runProbe(host, id, bundle, { ...options, flags: ['--detach', ...flags] });
    return reportThrough(receiver);
  }
  return parseReport(await runProbe(host, id, bundle, options));
}

async function runProbe(host: TestHost, id: string, bundle: Bundle, options: CallOptions): Promise<string> {
  const { status, stdout, stderr } = await host.runtime.run(id, bundle, options);
  if (status !== 0) throw new Error(`${host.runtime.name} did not run the probe (${status}): ${stderr}`);
  return stdout;
}

// biome-ignore format: a table
const PROBED = [
  'path=/proc/uptime', 'path=/masked', 'path=/masked/file', 'path=/masked-file', 'path=/readonly', 'path=/readonly/file',
  'path=/dev/test-null', 'path=/dev/deep/zero', 'sysctl=net.ipv4.conf.lo.forwarding',
];

const SOME_CAPABILITIES = ['CAP_CHOWN', 'CAP_NET_BIND_SERVICE', 'CAP_SYS_CHROOT', 'CAP_KILL'];

function giveEverything(host: TestHost, config: Config): void {
  const { process, linux } = config;
  process.args = ['/bin/probe', 'report', ...PROBED];
  process.cwd = '/home';
  process.env = ['PATH=/bin', 'A=b=c', 'EMPTY=', 'A=again', 'LANG=C.UTF-8'];
  process.noNewPrivileges = false;
  process.oomScoreAdj = 321;
  process.capabilities = {
    bounding: SOME_CAPABILITIES,
    permitted: SOME_CAPABILITIES.slice(0, 3),
    effective: SOME_CAPABILITIES.slice(0, 2),
    inheritable: SOME_CAPABILITIES.slice(1, 3),
    ambient: SOME_CAPABILITIES.slice(1, 2),
  };
  process.rlimits = [
    { type: 'RLIMIT_NOFILE', soft: 512, hard: 600 },
    { type: 'RLIMIT_CORE', soft: 0, hard: 4096 },
    { type: 'RLIMIT_NPROC', soft: 4000, hard: 5000 },
    { type: 'RLIMIT_FSIZE', soft: 2 ** 40, hard: 2 ** 41 },
  ];
  config.hostname = 'a-name.example';
  config.domainname = 'example.org';
  linux.sysctl = {
    'net.ipv4.ip_forward': '1',
    'net.ipv4.ping_group_range': '0 1000',
    'kernel.msgmax': '65536',
    'fs.mqueue.msg_max': '15',
  };
  linux.devices = [
    { type: 'c', path: '/dev/test-null', major: 1, minor: 3, fileMode: 0o640, uid: 1000, gid: 6 },
    { type: 'c', path: '/dev/deep/zero', major: 1, minor: 5 },
    { type: 'p', path: '/dev/fifo', fileMode: 0o600 },
    { type: 'b', path: '/dev/block', major: 7, minor: 200, fileMode: 0o600 },
    { type: 'u', path: '/dev/unbuffered', major: 1, minor: 9, fileMode: 0o444 },
  ];
  addNamespace(config, { type: 'cgroup' });
  hideAndProtect(host, config);
}

/** Masked and read-only paths in binds, and where there is nothing. */
function hideAndProtect(host: TestHost, config: Config): void {
  const volume = host.directory('volume');
  for (const name of ['masked', 'readonly']) mkdirSync(path.join(volume, name));
  for (const name of ['masked/file', 'readonly/file', 'masked-file']) {
    writeFileSync(path.join(volume, name), 'text\n', { mode: 0o666 });
  }
  for (const name of ['masked', 'readonly', 'masked-file']) {
    const source = path.join(volume, name);
    config.mounts.push({ destination: `/${name}`, type: 'bind', source, options: ['rbind'] });
  }
  config.linux.maskedPaths.push('/masked', '/masked-file', '/proc/uptime', '/not/there');
  config.linux.readonlyPaths.push('/readonly', '/not/there');
}

function userWithEverything(host: TestHost): Bundle {
  return host.bundle((config) => {
    giveEverything(host, config);
    config.process.user = { uid: 1000, gid: 1000, additionalGids: [5, 77, 1000], umask: 0o027 };
  });
}

function rootWithEverything(host: TestHost): Bundle {
  return host.bundle((config) => {
    giveEverything(host, config);
    config.process.user = { uid: 0, gid: 0, additionalGids: [7] };
    config.process.cwd = '/made/for/it';
    config.root.readonly = false;
  });
}

// biome-ignore format: a table
const BIND_OPTIONS: readonly string[][] = [
  ['bind'], ['rbind'], ['bind', 'ro'], ['rbind', 'ro', 'nosuid', 'nodev', 'noexec'], ['bind', 'noatime'],
  ['bind', 'strictatime', 'nodiratime'], ['rbind', 'rro'], ['rbind', 'rnosuid', 'rnodev'], ['bind', 'nosymfollow'],
  ['bind', 'private'], ['rbind', 'rprivate'], ['bind', 'slave'], ['rbind', 'rslave'], ['bind', 'shared'],
  ['rbind', 'rshared'], ['bind', 'unbindable'], ['rbind', 'runbindable'],
];

// biome-ignore format: a table
const FILESYSTEMS: readonly Omit<Mount, 'destination'>[] = [
  { type: 'tmpfs', source: 'tmpfs' },
  { type: 'tmpfs', source: 'a name', options: ['size=64k', 'mode=700', 'uid=5', 'gid=6', 'nr_inodes=100'] },
  { type: 'tmpfs', source: 'tmpfs', options: ['ro', 'nosuid', 'nodev', 'noexec', 'noatime'] },
  { type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] },
  { type: 'mqueue', source: 'queues', options: ['ro'] },
  { type: 'devpts', source: 'devpts', options: ['newinstance', 'mode=0600', 'ptmxmode=0660'] },
];

/** What is bound is shared and has a mount inside, so that recursion and propagation show. */
function mountsOfAllKinds(host: TestHost): Bundle {
  const source = host.directory('source');
  host.inside('mount', '-t', 'tmpfs', 'outer', source);
  host.inside('mkdir', path.join(source, 'inner'));
  host.inside('mount', '-t', 'tmpfs', '-o', 'nodev', 'inner', path.join(source, 'inner'));
  host.inside('mount', '--make-rshared', source);
  host.remember();
  return host.bundle((config) => {
    config.root.readonly = false;
    for (const options of BIND_OPTIONS) {
      config.mounts.push({ destination: `/tmp/${options.join('-')}`, type: 'bind', source, options });
    }
    FILESYSTEMS.forEach((mount, index) => {
      config.mounts.push({ ...mount, destination: `/tmp/${mount.type}-${index}` });
    });
  });
}

const FIRST_ID = 100_000;

function userNamespace(host: TestHost): Bundle {
  const map = [{ containerID: 0, hostID: FIRST_ID, size: 65_536 }];
  const bundle = host.bundle((config) => {
    addNamespace(config, { type: 'user' });
    config.linux.uidMappings = map;
    config.linux.gidMappings = map;
    config.process.user = { uid: 1000, gid: 1000, additionalGids: [77] };
  });
  giveTo(bundle.rootfs, FIRST_ID);
  return bundle;
}

/** The host's name is not the container's to set. */
function shareNamespaces(config: Config): void {
  config.linux.namespaces = [{ type: 'mount' }];
  delete config.hostname;
}

function openUp(config: Config): void {
  config.root.readonly = false;
  config.linux.maskedPaths = [];
  config.linux.readonlyPaths = [];
}

function useTerminal(config: Config): void {
  config.process.terminal = true;
  config.process.consoleSize = { height: 30, width: 90 };
  config.process.user = { uid: 1000, gid: 1000 };
}

function ordinary(host: TestHost): Bundle {
  addOrdinaryUser(host);
  return ordinaryBundle(host, OWN_ID_AND_RANGE, (config) => {
    config.process.user = { uid: 5, gid: 6 };
  });
}
