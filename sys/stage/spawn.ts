// Starts a stage: its ELF in a sealed memfd, executed by descriptor.
import { constants, fchmodSync, openSync, writeFileSync } from 'node:fs';
import {
  CLOSE_RANGE_CLOEXEC,
  F_ADD_SEALS,
  F_SEAL_EXEC,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
} from '../abi/constants.ts';
import { STATFS_BYTES, STATFS_OFFSETS } from '../abi/structs.ts';
import { errnoNumber, SysError } from '../errno.ts';
import { Fd } from '../fd.ts';
import { libcFunction, type Mapping, mapMemory } from '../ffi.ts';
import { syscall, trySyscall } from '../syscall.ts';

const SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
const MODE = 0o500;

/**
 * A descriptor of an executable copy of `file`: a sealed memfd, which nobody can change, not even root through
 * /proc/<pid>/exe; or, where the host forbids executable ones (vm.memfd_noexec=2), a file of its own without a name in
 * `fallbackDirectory`, which is never executed again after this container.
 */
export function executableFile(file: Uint8Array, fallbackDirectory: string): Fd {
  using memfd = createMemfd();
  if (memfd === undefined) return unlinkedFile(file, fallbackDirectory);
  writeFileSync(memfd.number, file);
  fchmodSync(memfd.number, MODE);
  // F_SEAL_EXEC is of Linux 6.3, as MFD_EXEC is: an older kernel takes the other four.
  if (trySyscall('fcntl', memfd.number, F_ADD_SEALS, SEALS | F_SEAL_EXEC) < 0) {
    syscall('fcntl', memfd.number, F_ADD_SEALS, SEALS);
  }
  return new Fd(memfd.release());
}

/** undefined where vm.memfd_noexec=2 refuses an executable one. */
function createMemfd(): Fd | undefined {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  let result = trySyscall('memfd_create', 'hull-stage', flags | MFD_EXEC);
  if (result === -errnoNumber('EINVAL')) result = trySyscall('memfd_create', 'hull-stage', flags);
  if (result >= 0) return new Fd(result);
  if (-result === errnoNumber('EACCES')) return undefined;
  throw new SysError('memfd_create', -result, 'hull-stage');
}

// asm-generic/fcntl.h: __O_TMPFILE; O_EXCL beside it forbids linking the file to a name later.
const O_TMPFILE = 0o20000000;
// statvfs(3); the kernel's own name is MNT_NOEXEC.
const ST_NOEXEC = 8;

function unlinkedFile(file: Uint8Array, directory: string): Fd {
  const { O_RDWR, O_RDONLY, O_EXCL, O_DIRECTORY } = constants;
  using writable = new Fd(openSync(directory, O_TMPFILE | O_DIRECTORY | O_RDWR | O_EXCL, MODE));
  if (isMountedNoexec(writable)) {
    throw new Error(
      `cannot execute from ${JSON.stringify(directory)}: mounted noexec, and vm.memfd_noexec=2 forbids a memfd`,
    );
  }
  writeFileSync(writable.number, file);
  fchmodSync(writable.number, MODE); // whatever the umask left
  // A file that is open for writing cannot be executed (ETXTBSY).
  return new Fd(openSync(`/proc/self/fd/${writable.number}`, O_RDONLY));
}

function isMountedNoexec(fd: Fd): boolean {
  const statfs = new Uint8Array(STATFS_BYTES);
  syscall('fstatfs', fd.number, statfs);
  return (new DataView(statfs.buffer).getUint32(STATFS_OFFSETS.f_flags, true) & ST_NOEXEC) !== 0;
}

// spawn.h and bits/types of glibc; both structs are opaque, and smaller than this.
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const OPAQUE_BYTES = 512;
const SIGSET_BYTES = 128;
const OFFSETS = {
  actions: 0,
  attributes: OPAQUE_BYTES,
  emptySet: 2 * OPAQUE_BYTES,
  fullSet: 2 * OPAQUE_BYTES + SIGSET_BYTES,
  pid: 2 * OPAQUE_BYTES + 2 * SIGSET_BYTES,
  path: 2 * OPAQUE_BYTES + 2 * SIGSET_BYTES + 8,
  argv: 2 * OPAQUE_BYTES + 2 * SIGSET_BYTES + 64,
  environment: 2 * OPAQUE_BYTES + 2 * SIGSET_BYTES + 80,
} as const;

const STANDARD_FDS = [0, 1, 2] as const;
const LAST_FD = 0xffffffff;

let scratch: Mapping | undefined;

/** Memory for the arguments, with the attributes in place: they are the same for every child. */
function spawnArguments(): Mapping {
  if (scratch !== undefined) return scratch;
  const mapping = mapMemory(4096);
  const attributes = mapping.address + OFFSETS.attributes;
  mapping.bytes.fill(0xff, OFFSETS.fullSet, OFFSETS.fullSet + SIGSET_BYTES);
  call('posix_spawnattr_init', [attributes]);
  call('posix_spawnattr_setflags', [attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK]);
  call('posix_spawnattr_setsigdefault', [attributes, mapping.address + OFFSETS.fullSet]);
  call('posix_spawnattr_setsigmask', [attributes, mapping.address + OFFSETS.emptySet]);
  scratch = mapping;
  return mapping;
}

/** The functions of spawn.h return their error. */
function call(name: string, args: readonly number[], subject?: string): void {
  const error = libcFunction(name, args);
  if (error !== 0) throw new SysError(name, error, subject);
}

export interface SpawnOptions {
  /** What the child has as descriptors 0, 1 and 2; the caller's own unless given. */
  readonly stdio?: readonly [number, number, number];
  /** Descriptors that it gets under their own numbers. */
  readonly inherited: readonly number[];
}

/** They are put in place one after another: none may be one that has been replaced by then. */
function requireInOrder(stdio: readonly number[]): void {
  const lost = stdio.find((fd, number) => fd < number && stdio[fd] !== fd);
  if (lost !== undefined)
    throw new RangeError(`descriptor ${lost} is replaced before it is used: [${stdio}]`);
}

/**
 * Executes the file, as a child with an empty environment, default signal dispositions and an empty signal mask.
 * It gets no descriptor but these, not even one that hull's caller left open without close-on-exec, which would be a
 * way out of the container (CVE-2024-21626).
 * @returns the child's pid
 */
export function spawnExecutable(executable: Fd, { inherited, stdio = STANDARD_FDS }: SpawnOptions): number {
  requireInOrder(stdio);
  const { address, bytes } = spawnArguments();
  const at = (offset: number): number => address + offset;
  const path = `/proc/self/fd/${executable.number}`;
  bytes.write(`${path}\0`, OFFSETS.path);
  bytes.writeBigUInt64LE(BigInt(at(OFFSETS.path)), OFFSETS.argv);

  syscall('close_range', STANDARD_FDS.length, LAST_FD, CLOSE_RANGE_CLOEXEC);
  const actions = at(OFFSETS.actions);
  call('posix_spawn_file_actions_init', [actions]);
  try {
    // dup2 of a descriptor onto itself clears its close-on-exec flag in the child. Node sets that flag even on 0, 1 and 2.
    stdio.forEach((fd, number) => {
      call('posix_spawn_file_actions_adddup2', [actions, fd, number]);
    });
    for (const fd of inherited) call('posix_spawn_file_actions_adddup2', [actions, fd, fd]);
    const attributes = at(OFFSETS.attributes);
    const strings = [at(OFFSETS.argv), at(OFFSETS.environment)];
    call('posix_spawn', [at(OFFSETS.pid), at(OFFSETS.path), actions, attributes, ...strings], path);
  } finally {
    libcFunction('posix_spawn_file_actions_destroy', [actions]);
  }
  return bytes.readInt32LE(OFFSETS.pid);
}
