// The tables of sys/abi against the C headers of this machine.
import { existsSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import * as constants from '../../../sys/abi/constants.ts';
import { ERRNO_ALIASES, ERRNOS } from '../../../sys/abi/errno.ts';
import { fcntlFlags } from '../../../sys/abi/fcntl.ts';
import * as structs from '../../../sys/abi/structs.ts';
import { type Architecture, SYSCALL_NAMES, syscallNumber } from '../../../sys/abi/syscalls.ts';
import { errnoNumber, errnoText } from '../../../sys/errno.ts';
import { cConstants, compilerMissing, cValues, runC } from '../../support/c-program.ts';

const KERNEL_HEADERS = [
  ...[
    'fcntl',
    'openat2',
    'sched',
    'mount',
    'prctl',
    'stat',
    'magic',
    'socket',
    'wait',
    'memfd',
    'close_range',
  ],
  ...['keyctl', 'capability', 'mman', 'fs', 'time', 'sockios', 'termios', 'loop'],
].map((name) => `linux/${name}.h`);
const ASM_HEADERS = ['asm/signal.h', 'asm/ioctls.h', 'asm/poll.h', 'asm/socket.h'];
/** For what the kernel has no public header, or one that fits no other. */
const LIBC_HEADERS = ['sys/socket.h', 'sys/mount.h', 'sys/wait.h', 'sys/file.h', 'linux/if.h'];

/** #ifdef does not see these. */
const ENUMERATORS = new Set(
  Object.keys(constants).filter((name) => /^(?:FSCONFIG_(?:SET|CMD)|LO_FLAGS)_/.test(name)),
);

/** name → the kernel version whose headers first define it */
const NEWER_CONSTANTS = { F_SEAL_EXEC: '6.3', MFD_NOEXEC_SEAL: '6.3', MFD_EXEC: '6.3' };
const NEWER_SYSCALLS = {
  __NR_fchmodat2: '6.6',
  __NR_statmount: '6.8',
  __NR_listmount: '6.8',
  __NR_open_tree_attr: '6.15',
};

const STRUCT_HEADERS: Readonly<Record<string, string>> = {
  clone_args: 'linux/sched.h',
  open_how: 'linux/openat2.h',
  mount_attr: 'linux/mount.h',
  rlimit64: 'linux/resource.h',
  __user_cap_header_struct: 'linux/capability.h',
  __user_cap_data_struct: 'linux/capability.h',
  winsize: 'asm/termios.h',
  pollfd: 'asm/poll.h',
  iovec: 'linux/uio.h',
  timespec: 'linux/time.h',
  msghdr: 'sys/socket.h',
  sched_attr: 'linux/sched/types.h',
};

/** Not a struct of the headers by themselves: each has a test of its own. */
const PARTIAL_STRUCTS = new Set<object>([structs.cmsg_one_fd, structs.loop_config_head]);

const NR_NAMES = SYSCALL_NAMES.map((name) => `__NR_${name}`);

/** Expects every name of `ours` to have the headers' value, or to be too new for them. */
function expectSame(
  ours: ReadonlyMap<string, bigint>,
  theirs: ReadonlyMap<string, bigint>,
  newer: Readonly<Record<string, string>> = {},
): void {
  const unchecked = [...ours.keys()].filter((name) => !theirs.has(name));
  if (unchecked.length > 0) console.log(`newer than this machine's headers: ${unchecked.join(', ')}`);
  expect(Object.keys(newer)).toEqual(expect.arrayContaining(unchecked));
  expect(new Map([...ours].filter(([name]) => theirs.has(name)))).toEqual(theirs);
}

function expectSyscalls(architecture: Architecture, theirs: ReadonlyMap<string, bigint>): void {
  const ours = SYSCALL_NAMES.map(
    (name) => [`__NR_${name}`, BigInt(syscallNumber(name, architecture))] as const,
  );
  expectSame(new Map(ours), theirs, NEWER_SYSCALLS);
}

function expectFcntlFlags(architecture: Architecture, options: readonly string[]): void {
  const ours = Object.entries(fcntlFlags(architecture)).map(
    ([name, value]) => [name, BigInt(value)] as const,
  );
  const names = ours.map(([name]) => name);
  expectSame(new Map(ours), cConstants(['asm/fcntl.h'], names, new Set(), options));
}

/** As Go's mkerrors.sh does: a word of capitals stays. */
const startInLowerCase = (text: string): string =>
  /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;

describe('sys/abi and the C headers', () => {
  beforeEach((context) => context.skip(compilerMissing !== undefined, compilerMissing));

  it('agree on every constant', () => {
    const ours = new Map(Object.entries(constants).map(([name, value]) => [name, BigInt(value)]));
    const names = [...ours.keys()];
    const fromKernel = cConstants([...KERNEL_HEADERS, ...ASM_HEADERS], names, ENUMERATORS);
    const macros = names.filter((name) => !ENUMERATORS.has(name));
    const fromLibc = cConstants(LIBC_HEADERS, macros, new Set(), ['-D_GNU_SOURCE']);
    expectSame(ours, new Map([...fromKernel, ...fromLibc]), NEWER_CONSTANTS);
    expect([...fromKernel].filter(([name, value]) => ours.get(name) !== value)).toEqual([]);
  });

  it('agree on every struct', () => {
    for (const one of Object.values(structs)) {
      if (typeof one === 'number' || !('encode' in one) || PARTIAL_STRUCTS.has(one)) continue;
      const header = STRUCT_HEADERS[one.name];
      expect(header, `the header of struct ${one.name}`).toBeDefined();
      const offsets = Object.keys(one.offsets).map((name) => `offsetof(struct ${one.name}, ${name})`);
      const theirs = cValues([`${header}`], [`sizeof(struct ${one.name})`, ...offsets]);
      expect([one.name, one.size, ...Object.values(one.offsets)]).toEqual([one.name, ...theirs]);
    }
  });

  it('agree on a control message of one descriptor', () => {
    const { size, offsets } = structs.cmsg_one_fd;
    const header = ['cmsg_len', 'cmsg_level', 'cmsg_type'].map((name) => `offsetof(struct cmsghdr, ${name})`);
    const theirs = cValues(['sys/socket.h'], ['CMSG_SPACE(sizeof(int))', ...header, 'CMSG_LEN(0)']);
    expect([size, ...Object.values(offsets)]).toEqual(theirs);
  });

  it("agree on the part of a loop device's configuration that is not zero", () => {
    const [fd, block, ...info] = Object.keys(structs.loop_config_head.offsets);
    const names = [fd, block, ...info.map((name) => `info.${name}`)];
    const offsets = names.map((name) => `offsetof(struct loop_config, ${name})`);
    const theirs = cValues(['linux/loop.h'], ['sizeof(struct loop_config)', ...offsets]);
    expect([structs.LOOP_CONFIG_BYTES, ...Object.values(structs.loop_config_head.offsets)]).toEqual(theirs);
  });

  it('agree on where statx and statfs keep what plans look at', () => {
    const statx = Object.keys(structs.STATX_OFFSETS).map((name) => `offsetof(struct statx, ${name})`);
    expect(cValues(['linux/stat.h'], ['sizeof(struct statx)', ...statx])).toEqual([
      structs.STATX_BYTES,
      ...Object.values(structs.STATX_OFFSETS),
    ]);
    const statfs = Object.keys(structs.STATFS_OFFSETS).map((name) => `offsetof(struct statfs, ${name})`);
    expect(cValues(['asm/statfs.h'], ['sizeof(struct statfs)', ...statfs])).toEqual([
      structs.STATFS_BYTES,
      ...Object.values(structs.STATFS_OFFSETS),
    ]);
  });

  it('agree on every system call number of x86-64', (context) => {
    context.skip(process.arch !== 'x64', "this machine's headers are not x86-64's");
    expectSyscalls('x64', cConstants(['asm/unistd_64.h'], NR_NAMES));
  });

  it('agree on every system call number of arm64', () => {
    // What arch/arm64/include/uapi/asm/unistd.h defines before it includes the generic table.
    const wants = ['RENAMEAT', 'NEW_STAT', 'SET_GET_RLIMIT', 'TIME32_SYSCALLS', 'SYS_CLONE3', 'MEMFD_SECRET'];
    const options = wants.map((name) => `-D__ARCH_WANT_${name}`);
    expectSyscalls('arm64', cConstants(['asm-generic/unistd.h'], NR_NAMES, new Set(), options));
  });

  it('agree on the open flags of x86-64', (context) => {
    context.skip(process.arch !== 'x64', "this machine's headers are not x86-64's");
    expectFcntlFlags('x64', []);
  });

  it('agree on the open flags of arm64', (context) => {
    const cross = '/usr/aarch64-linux-gnu/include';
    const isArm64 = process.arch === 'arm64';
    context.skip(!isArm64 && !existsSync(`${cross}/asm/fcntl.h`), 'needs linux-libc-dev-arm64-cross');
    expectFcntlFlags('arm64', isArm64 ? [] : ['-nostdinc', '-isystem', cross]);
  });

  it('agree on every error number, its other names and its text', () => {
    const canonical = Object.entries(ERRNOS).map(([name, [number]]) => [name, BigInt(number)] as const);
    const aliases = Object.entries(ERRNO_ALIASES).map(
      ([alias, name]) => [alias, BigInt(errnoNumber(name))] as const,
    );
    const known = new Map([...canonical, ...aliases]);
    expectSame(known, cConstants(['errno.h'], [...known.keys()]));

    const source = `
      #include <string.h>
      #include <stdio.h>
      int main(void) { for (int i = 1; i < 4096; i++) puts(strerror(i)); }`;
    const texts = runC(source).map((text, index) => [index + 1, startInLowerCase(text)] as const);
    const named = texts.filter(([errno, text]) => text !== `unknown error ${errno}`);
    expect(named.map(([errno]) => [errno, errnoText(errno)])).toEqual(named);
    expect(new Set(named.map(([errno]) => BigInt(errno)))).toEqual(new Set(known.values()));
  });
});
