/** What a container must leave as it was: read before and after each integration test, and compared. */

import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { canaryLines } from './canary.ts';
import { insideNamespace } from './mount-namespace.ts';

/** Every worker's containers, and so their cgroups, have names with the worker's pid: `ht4711-3`. */
export const ID_PREFIX = `ht${process.pid}-`;

/** Cgroups that other tests make meanwhile: other workers' containers, and those of test/unit/cgroups. */
const OTHER_TESTS = new RegExp(`/(ht(?!${process.pid}-)|hull-test-)\\d+-`);

/** Where launched containers are: the parent is there as long as one of them is, and not every one is this test's. */
const LAUNCHED = new RegExp(`^/sys/fs/cgroup/(?:[^/]+/)?hull(?:/(?!${ID_PREFIX}).*)?$`);

/** What a test may touch, and so what has to be looked at. */
export interface Scope {
  readonly scratch: string;
  /** A process in the mount namespace in which the runtime is called. */
  readonly namespacePid: number;
  readonly runtimePath: string;
  readonly stateRoot: string;
  readonly canary: string;
}

/** One sorted list of lines for each kind of thing, so that a difference can be printed as lines. */
export type HostSnapshot = ReadonlyMap<string, readonly string[]>;

const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'ptmx', 'console', 'pts'];

export function snapshotHost(scope: Scope): HostSnapshot {
  return new Map([
    ['host mounts', hostMounts(scope.scratch)],
    ['mounts', mountLines(scope.namespacePid)],
    ['cgroups', cgroupDirectories()],
    ['abstract sockets', abstractSockets()],
    ['host devices', DEVICES.map((name) => deviceLine(`/dev/${name}`))],
    ['devices', DEVICES.map((name) => deviceLine(insideNamespace(scope.namespacePid, `/dev/${name}`)))],
    ['kernel settings', kernelSettings()],
    ['host namespaces', namespaceLines()],
    ['runtime program', [fileHash(scope.runtimePath)]],
    ['state root', stateEntries(scope.stateRoot)],
    ['canary', canaryLines(scope.canary)],
  ]);
}

/** `+ cgroups: /sys/fs/cgroup/pids/x`, or nothing when all is as before. */
export function compareSnapshots(before: HostSnapshot, after: HostSnapshot): string[] {
  const differences: string[] = [];
  for (const [kind, lines] of before) {
    const old = new Set(lines);
    const now = new Set(after.get(kind));
    for (const line of old) if (!now.has(line) && !mayGo(kind, line)) differences.push(`- ${kind}: ${line}`);
    for (const line of now) if (!old.has(line)) differences.push(`+ ${kind}: ${line}`);
  }
  return differences;
}

/** What other programs of the machine may take away meanwhile: their cgroups, and mounts with their mountpoints. */
function mayGo(kind: string, line: string): boolean {
  if (kind === 'cgroups') return !line.includes(ID_PREFIX);
  return kind === 'mounts' && !existsSync(line.split(' ')[2] ?? '');
}

/** Without the mount ids, which a mount and an unmount elsewhere may shift. */
function mountLines(pid: number): string[] {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trimEnd().split('\n');
  return lines.map((line) => line.split(' ').slice(2).join(' '));
}

/** Other programs may mount things while a test runs; what the test causes has its scratch directory in it. */
function hostMounts(scratch: string): string[] {
  return mountLines(process.pid).filter((line) => line.includes(scratch));
}

/** The directories where a container of this process can be: in hierarchies that others share, beneath its own. */
function cgroupDirectories(): string[] {
  const own = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  const foreign = own.map((line) => line.slice(line.lastIndexOf(':') + 1)).filter((place) => place !== '/');
  const isOwn = (directory: string): boolean =>
    directory.includes(ID_PREFIX) || !foreign.some((place) => isBesides(directory, place));
  return cgroupsBeneath('/sys/fs/cgroup').filter(
    (directory) => !OTHER_TESTS.test(directory) && !LAUNCHED.test(directory) && isOwn(directory),
  );
}

/** Whether `directory` is a cgroup next to the one at `place`, not beneath it: `/a/y` for `/a/x`. */
function isBesides(directory: string, place: string): boolean {
  const top = `/${place.split('/')[1]}/`;
  return directory.includes(top) && !`${directory}/`.includes(`${place}/`);
}

export function cgroupsBeneath(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    const directories = entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => path.join(directory, name));
    return directories.flatMap((child) => [child, ...cgroupsBeneath(child)]);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function abstractSockets(): string[] {
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return lines.map((line) => line.split(/ +/)[7] ?? '').filter((name) => name.startsWith('@'));
}

function deviceLine(file: string): string {
  const { mode, uid, gid, rdev } = lstatSync(file);
  return `${file} ${mode.toString(8)} ${uid}:${gid} ${rdev}`;
}

// Some of them exist only in kernels built with what they are about.
const SETTINGS = ['core_pattern', 'hostname', 'domainname', 'modprobe', 'poweroff_cmd', 'core_pipe_limit'];

function kernelSettings(): string[] {
  const files = SETTINGS.map((name) => `/proc/sys/kernel/${name}`).filter((file) => existsSync(file));
  return files.map((file) => `${file} ${readFileSync(file, 'utf8').trim()}`);
}

function namespaceLines(): string[] {
  return readdirSync('/proc/self/ns').map((name) => readlinkSync(`/proc/self/ns/${name}`));
}

const hashes = new Map<string, { readonly stamp: string; readonly hash: string }>();

/** The content is read again only when the inode says that it may differ. */
export function fileHash(file: string): string {
  const { ino, size, mtimeMs, ctimeMs, mode } = statSync(file);
  const stamp = [ino, size, mtimeMs, ctimeMs, mode].join(' ');
  const known = hashes.get(file);
  if (known?.stamp === stamp) return known.hash;
  const hash = `${file} ${createHash('sha256').update(readFileSync(file)).digest('hex')} ${stamp}`;
  hashes.set(file, { stamp, hash });
  return hash;
}

function stateEntries(stateRoot: string): string[] {
  try {
    return readdirSync(stateRoot);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

export function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
}
