// config.json's mounts: from entries to the steps that make each one detached, and those that attach them in order.
import { isAbsolute, resolve as resolvePath } from 'node:path';
import type { Mount } from '../spec/config/mount.ts';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_RECURSIVE,
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MS_SHARED,
  MS_SLAVE,
  O_RDONLY,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
  PROC_SUPER_MAGIC,
  STATX_BASIC_STATS,
} from '../sys/abi/constants.ts';
import { O_DIRECTORY } from '../sys/abi/fcntl.ts';
import { STATFS_BYTES, STATX_BYTES, STATX_OFFSETS } from '../sys/abi/structs.ts';
import {
  buffer,
  cString,
  flags,
  type Operand,
  type Program,
  place,
  type Slot,
  slot,
} from '../sys/plan/program.ts';
import { baseOf } from './base.ts';
import { type MountFlags, parseMountOptions } from './mount-options.ts';
import { attach, newFilesystem, type Parameter, setAttributes, setPropagation } from './mount-steps.ts';
import { cleanPath, close, ensurePath, IN_ROOT, IN_ROOT_WITHOUT_SYMLINKS } from './paths.ts';

/** A mount that cannot be planned: the message names it and the reason. */
export class MountError extends Error {
  constructor(destination: string, reason: string) {
    super(`mount at ${JSON.stringify(destination)}: ${reason}`);
    this.name = 'MountError';
  }
}

export interface MountJob {
  readonly destination: string;
  readonly type: string;
  readonly flags: MountFlags;
  /** Of a bind: the absolute path on the host. */
  readonly source: string | undefined;
  /** What a new instance of a file system shows as its source. */
  readonly sourceText: string;
  readonly targetKind: 'directory' | 'file';
  readonly tree: Slot;
  /** What of the host's is bound where the kernel refuses a new instance. */
  readonly fallback: string | undefined;
  /** A tmpfs that starts with what the image has at its destination (the option tmpcopyup). */
  readonly copyUp: boolean;
  /** A bind of what stays one with the host's: what is mounted below it on either side appears on the other. */
  readonly isPeer: boolean;
}

/** What a mount of type cgroup becomes: the host's directory, or a new instance, or the directory where that fails. */
export type CgroupMount =
  | { readonly kind: 'bind'; readonly source: string }
  | { readonly kind: 'new'; readonly type: 'cgroup2' | 'tmpfs'; readonly fallback: string | undefined };

export interface MountContext {
  /** Absolute path of the bundle, to which relative bind sources refer. */
  readonly bundle: string;
  readonly cgroupMount: CgroupMount;
  /** A user namespace that does not own its network namespace may not mount sysfs. */
  readonly sysfsFallback: boolean;
  /** The host may fill a mount before the container has it. */
  readonly mayCopyUp: boolean;
  /** linux.rootfsPropagation is shared: a bind with the option shared or rshared may then be seen by the host. */
  readonly mayShare: boolean;
  isDirectory(path: string): boolean;
}

/**
 * Files below /proc that lxcfs and the engines replace; anything else there would hide or redirect the kernel's own
 * (CVE-2019-16884). Source: runc.
 */
const PROC_FILES = new Set(
  'cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo sys/kernel/ns_last_pid sys/crypto/fips_enabled'
    .split(' ')
    .map((name) => `/proc/${name}`),
);

/** File systems that have to sit on a real directory: a symlink there would put them where nobody masks them. */
const ON_ORDINARY_DIRECTORY = new Set(['proc', 'sysfs']);

export function mountJobs(mounts: readonly Mount[], context: MountContext): MountJob[] {
  return mounts.map((mount, index) => mountJob(mount, index, context));
}

function mountJob(mount: Mount, index: number, context: MountContext): MountJob {
  const parsed = parseMountOptions(mount.options ?? []);
  const destination = cleanPath(mount.destination);
  checkEntry(mount, destination, parsed, context);
  const tree = slot(`mount${index}:${destination}`);
  const copyUp = parsed.extensions.includes('tmpcopyup');
  const sourceText = mount.source ?? mount.type ?? '';
  const common = { destination, tree, flags: parsed, sourceText, copyUp, isPeer: false };
  if (isBind(mount, parsed)) {
    const source = absolute(mount.source ?? '', context.bundle);
    const targetKind = context.isDirectory(source) ? 'directory' : 'file';
    const bind = parsed.bind ?? 'bind';
    const isPeer = context.mayShare && parsed.propagation.at(-1)?.type === MS_SHARED;
    return {
      ...common,
      type: 'bind',
      flags: { ...parsed, bind },
      source,
      targetKind,
      fallback: undefined,
      isPeer,
    };
  }
  if (mount.type === 'cgroup' || mount.type === 'cgroup2') return cgroupJob(common, context.cgroupMount);
  const fallback = mount.type === 'sysfs' && context.sysfsFallback ? '/sys' : undefined;
  return { ...common, type: mount.type ?? '', source: undefined, targetKind: 'directory', fallback };
}

type CommonFields = Pick<MountJob, 'destination' | 'tree' | 'flags' | 'sourceText' | 'copyUp' | 'isPeer'>;

/** The options of cgroup v1 that people write (`nsdelegate`, controllers' names) mean nothing to either form. */
function cgroupJob(common: CommonFields, mount: CgroupMount): MountJob {
  const withoutData = { ...common, flags: { ...common.flags, data: [] } };
  if (mount.kind === 'new') {
    return {
      ...withoutData,
      type: mount.type,
      source: undefined,
      targetKind: 'directory',
      fallback: mount.fallback,
    };
  }
  const flags = { ...withoutData.flags, bind: 'bind' as const };
  return {
    ...withoutData,
    flags,
    type: 'bind',
    source: mount.source,
    targetKind: 'directory',
    fallback: undefined,
  };
}

const isBind = (mount: Mount, { bind }: MountFlags): boolean => bind !== undefined || mount.type === 'bind';

/** @throws {MountError} */
function checkEntry(mount: Mount, destination: string, parsed: MountFlags, context: MountContext): void {
  const refuse = (reason: string): MountError => new MountError(mount.destination, reason);
  if (destination === '/') throw refuse("cannot mount over the container's root");
  const bind = isBind(mount, parsed);
  if (!bind && (mount.type ?? '') === '') throw refuse('needs a type, or the option bind or rbind');
  if (parsed.extensions.includes('idmap')) throw refuse('id-mapped mounts are not supported yet');
  if (parsed.extensions.includes('tmpcopyup')) {
    if (mount.type !== 'tmpfs') throw refuse('the option "tmpcopyup" is for a tmpfs only');
    if (!context.mayCopyUp) throw refuse('the option "tmpcopyup" is not supported in a user namespace');
  }
  if (bind && parsed.data.length > 0) {
    throw refuse(`a bind mount takes no file system options: ${parsed.data.join(',')}`);
  }
  if (bind && (mount.source ?? '') === '') throw refuse('a bind mount needs a source');
  checkProc(destination, bind ? 'bind' : (mount.type ?? ''), mount.destination);
}

const absolute = (path: string, bundle: string): string =>
  isAbsolute(path) ? path : resolvePath(bundle, path);

function checkProc(destination: string, type: string, asWritten: string): void {
  if (type === 'proc' && destination === '/proc') return;
  if (destination === '/proc' && type !== 'bind') {
    throw new MountError(asWritten, `cannot be mounted because it is not of type proc`);
  }
  if (destination.startsWith('/proc/') && !PROC_FILES.has(destination)) {
    throw new MountError(asWritten, 'cannot be mounted because it is inside /proc');
  }
}

/** Steps that make the job's mount, detached, in its slot. Binds may be made by the host, the rest by the stage. */
export function makeDetached(p: Program, job: MountJob): void {
  if (job.source !== undefined) {
    cloneSource(p, job.source, job.flags.bind === 'rbind', job.tree, job.destination);
    if (!job.isPeer) becomeSlave(p, job.tree, job.destination);
    applyBindFlags(p, job);
    return;
  }
  const [refused, done] = [p.fresh('refused'), p.fresh('made')];
  newFilesystem(p, {
    type: job.type,
    what: `${JSON.stringify(job.type)} for ${JSON.stringify(job.destination)}`,
    parameters: parameters(job),
    attributes: job.flags.attributes.set & ~(isFilledLater(job) ? MOUNT_ATTR_RDONLY : 0),
    into: job.tree,
    ...(job.fallback === undefined ? {} : { onRefusal: refused }),
  });
  if (job.fallback === undefined) return;
  p.goTo(done);
  p.mark(refused);
  cloneSource(p, job.fallback, true, job.tree, job.destination);
  becomeSlave(p, job.tree, job.destination);
  setAttributes(p, `restrict "${job.destination}"`, job.tree, job.flags.attributes, AT_RECURSIVE);
  p.mark(done);
}

/** /dev gets its nodes after it is mounted, so it becomes read-only last. */
const isFilledLater = (job: MountJob): boolean => job.type === 'tmpfs';

function parameters(job: MountJob): Parameter[] {
  const { data, superFlags, attributes } = job.flags;
  const out: Parameter[] = [['source', job.sourceText]];
  for (const flag of superFlags) out.push([flag]);
  // Not of cgroup2, which is one instance for the whole machine.
  const isOwnInstance = !isFilledLater(job) && job.type !== 'cgroup2';
  if ((attributes.set & MOUNT_ATTR_RDONLY) !== 0 && isOwnInstance) out.push(['ro']);
  for (const option of data.flatMap((text) => text.split(','))) {
    if (option === '') continue;
    const at = option.indexOf('=');
    out.push(at < 0 ? [option] : [option.slice(0, at), option.slice(at + 1)]);
  }
  return out;
}

/** A detached clone of what stands at `source`, still one with it. */
export function cloneSource(
  p: Program,
  source: string,
  recursive: boolean,
  into: Slot,
  destination: string,
): void {
  const how = recursive ? OPEN_TREE_CLONE | AT_RECURSIVE : OPEN_TREE_CLONE;
  const label = `clone "${source}" for "${destination}"`;
  p.call(label, 'open_tree', [AT_FDCWD, cString(source), how | OPEN_TREE_CLOEXEC], { into });
}

/** What is mounted below `tree` from here on does not reach the host. */
export function becomeSlave(p: Program, tree: Slot, destination: string): void {
  setPropagation(p, `make "${destination}" a slave of the host's`, tree, MS_SLAVE, AT_RECURSIVE);
}

const ATIME_MODES = MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME;

function applyBindFlags(p: Program, job: MountJob): void {
  const { attributes, recursiveAttributes } = job.flags;
  const label = `restrict "${job.destination}"`;
  setAttributes(p, label, job.tree, withAtimeMask(attributes), 0);
  setAttributes(
    p,
    `${label} and what is below it`,
    job.tree,
    withAtimeMask(recursiveAttributes),
    AT_RECURSIVE,
  );
}

/** mount_setattr(2) takes an atime mode only together with the whole mask in attr_clr. */
function withAtimeMask({ set, clear }: { set: number; clear: number }): { set: number; clear: number } {
  const touchesAtime = (set & ATIME_MODES) !== 0 || (clear & MOUNT_ATTR__ATIME) !== 0;
  return touchesAtime ? { set, clear: clear | MOUNT_ATTR__ATIME } : { set, clear };
}

/** Steps that attach the job's mount at its destination below `root`, where `mounted` are already. */
export function attachMount(p: Program, root: Slot, job: MountJob, mounted: readonly MountJob[]): void {
  const target = slot('target');
  const ordinary = ON_ORDINARY_DIRECTORY.has(job.type);
  const what = `"${job.sourceText}" at "${job.destination}"`;
  const base = baseOf(job.destination, root, mounted);
  ensurePath(p, base, target, {
    kind: job.targetKind,
    resolve: ordinary ? IN_ROOT_WITHOUT_SYMLINKS : IN_ROOT,
    ...(ordinary
      ? { symlinkFailure: `mount ${what}: filesystem "${job.type}" must be mounted on ordinary directory` }
      : {}),
  });
  if (job.type !== 'proc' && base.contents === 'unknown') refuseProcTarget(p, target, job, what);
  if (job.type === 'tmpfs' && !job.flags.data.some((option) => option.startsWith('mode='))) {
    inheritMode(p, target, job);
  }
  attach(p, job.tree, target, what);
  for (const { type, recursive } of job.flags.propagation) {
    setPropagation(
      p,
      `set the propagation of "${job.destination}"`,
      job.tree,
      type,
      recursive ? AT_RECURSIVE : 0,
    );
  }
  close(p, target);
}

/** After a symlink of the image was followed, the target may be in procfs although its name is not. */
function refuseProcTarget(p: Program, target: Slot, job: MountJob, what: string): void {
  if (PROC_FILES.has(job.destination)) return;
  const info = buffer('statfs', STATFS_BYTES);
  const type = slot('statfs.type');
  const fine = p.fresh('fine');
  const label = `check where "${job.destination}" is`;
  const subject = job.destination === '/proc' ? job.tree : target;
  p.call(label, 'fstatfs', [subject, info]);
  p.load(label, type, 8, place(info, 0));
  const comparison = job.destination === '/proc' ? 'equal' : 'notEqual';
  p.branch(label, type, comparison, flags(PROC_SUPER_MAGIC, 'PROC_SUPER_MAGIC'), fine);
  const reason = job.destination === '/proc' ? 'it is not of type proc' : 'it is inside /proc';
  p.fail(label, 'EPERM', `mount ${what}: cannot be mounted because ${reason}`);
  p.mark(fine);
}

/** A tmpfs without a mode takes that of the directory that it covers, as with runc. */
function inheritMode(p: Program, target: Slot, job: MountJob): void {
  const info = buffer('statx', STATX_BYTES);
  const mode = slot('statx.mode');
  const top = slot('tmpfs.root');
  const label = `give "${job.destination}" the mode of the directory below it`;
  p.call(label, 'statx', [target, cString(''), AT_EMPTY_PATH, STATX_BASIC_STATS, info]);
  p.load(label, mode, 2, place(info, STATX_OFFSETS.stx_mode));
  p.set(label, mode, mode, 'and', 0o7777);
  p.call(label, 'openat', [job.tree, cString('.'), O_RDONLY | O_DIRECTORY], { into: top });
  p.call(label, 'fchmod', [top, mode]);
  close(p, top);
}

/** What could not be read-only from the start: a tmpfs that had to be filled, the root. */
export function makeReadonly(p: Program, tree: Operand & Slot, destination: string): void {
  setAttributes(p, `make "${destination}" read-only`, tree, { set: MOUNT_ATTR_RDONLY, clear: 0 }, 0);
}

/** Steps that clone the root file system, detached; attached later as the container's root. */
export function cloneRootfs(p: Program, rootfs: string, into: Slot): void {
  const how = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
  p.call(`clone the root file system "${rootfs}"`, 'open_tree', [AT_FDCWD, cString(rootfs), how], { into });
  setPropagation(p, 'make it a slave of the host', into, MS_SLAVE, AT_RECURSIVE);
}
