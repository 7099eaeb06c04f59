// Starts a stage: its ELF in a sealed memfd, executed by descriptor.
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import {
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
import { errnoNumber, SysError } from '../errno.ts';
import { Fd } from '../fd.ts';
import { libcFunction, type Mapping, mapMemory } from '../ffi.ts';
import { syscall, trySyscall } from '../syscall.ts';

const SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
const MODE = 0o500;

/**
 * A descriptor of an executable copy of `file` that nobody can write to, open or reopen: a sealed memfd, or, where
 * the host forbids executable ones (vm.memfd_noexec=2), an unlinked file in `fallbackDirectory`.
 */
export function executableFile(file: Uint8Array, fallbackDirectory: string): Fd {
  const memfd = createMemfd();
  if (memfd === undefined) return unlinkedFile(file, fallbackDirectory);
  writeSync(memfd.number, file);
  syscall('fchmod', memfd.number, MODE);
  // F_SEAL_EXEC is of Linux 6.3, as MFD_EXEC is: an older kernel takes the other four.
  if (trySyscall('fcntl', memfd.number, F_ADD_SEALS, SEALS | F_SEAL_EXEC) < 0) {
    syscall('fcntl', memfd.number, F_ADD_SEALS, SEALS);
  }
  return memfd;
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

function unlinkedFile(file: Uint8Array, directory: string): Fd {
  const { O_RDWR, O_RDONLY, O_EXCL, O_DIRECTORY } = constants;
  const writable = openSync(directory, O_TMPFILE | O_DIRECTORY | O_RDWR | O_EXCL, MODE);
  try {
    writeSync(writable, file);
    // A file that is open for writing cannot be executed (ETXTBSY).
    return new Fd(openSync(`/proc/self/fd/${writable}`, O_RDONLY));
  } finally {
    closeSync(writable);
  }
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

let scratch: Mapping | undefined;

/**
 * Executes the file, as a child with an empty environment, default signal dispositions and an empty signal mask.
 * It gets standard input, output and error, and the `inherited` descriptors under their own numbers.
 * @returns the child's pid
 */
export function spawnExecutable(executable: Fd, inherited: readonly number[]): number {
  scratch ??= mapMemory(4096);
  const { address, bytes } = scratch;
  const at = (offset: number): number => address + offset;
  const [actions, attributes] = [at(OFFSETS.actions), at(OFFSETS.attributes)];
  bytes.fill(0);
  bytes.fill(0xff, OFFSETS.fullSet, OFFSETS.fullSet + SIGSET_BYTES);
  bytes.write(`/proc/self/fd/${executable.number}\0`, OFFSETS.path);
  bytes.writeBigUInt64LE(BigInt(at(OFFSETS.path)), OFFSETS.argv);

  libcFunction('posix_spawn_file_actions_init', [actions]);
  // dup2 of a descriptor onto itself clears its close-on-exec flag in the child.
  for (const fd of inherited) libcFunction('posix_spawn_file_actions_adddup2', [actions, fd, fd]);
  libcFunction('posix_spawnattr_init', [attributes]);
  libcFunction('posix_spawnattr_setflags', [attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK]);
  libcFunction('posix_spawnattr_setsigdefault', [attributes, at(OFFSETS.fullSet)]);
  libcFunction('posix_spawnattr_setsigmask', [attributes, at(OFFSETS.emptySet)]);
  const error = libcFunction('posix_spawn', [
    at(OFFSETS.pid),
    at(OFFSETS.path),
    actions,
    attributes,
    at(OFFSETS.argv),
    at(OFFSETS.environment),
  ]);
  libcFunction('posix_spawn_file_actions_destroy', [actions]);
  if (error !== 0) throw new SysError('posix_spawn', error, 'hull-stage');
  return bytes.readInt32LE(OFFSETS.pid);
}
