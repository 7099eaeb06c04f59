// The file that a stage is executed from: nobody can change it, not even root (CVE-2019-5736).
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  F_ADD_SEALS,
  F_GET_SEALS,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MAP_PRIVATE,
  MAP_SHARED,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  PROT_READ,
  PROT_WRITE,
} from '../../../sys/abi/constants.ts';
import { errnoName } from '../../../sys/errno.ts';
import { Fd } from '../../../sys/fd.ts';
import { executableFile } from '../../../sys/stage/spawn.ts';
import { type SyscallArgument, syscall, trySyscall } from '../../../sys/syscall.ts';

const CONTENT = Buffer.from('#!/bin/sh\n');
const SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

/** The same file without seals: what is refused for the one must succeed for the other. */
function unsealedFile(): Fd {
  const fd = new Fd(syscall('memfd_create', 'unsealed', MFD_CLOEXEC | MFD_ALLOW_SEALING));
  writeSync(fd.number, CONTENT);
  return fd;
}

const errnoOf = (name: Parameters<typeof trySyscall>[0], ...args: readonly SyscallArgument[]): string => {
  const result = trySyscall(name, ...args);
  return result < 0 ? errnoName(-result) : 'done';
};
const map = (fd: Fd, protection: number, sharing: number): string =>
  errnoOf('mmap', 0, 4096, protection, sharing, fd.number, 0);

// biome-ignore format: a table
const ATTACKS: readonly (readonly [string, (fd: Fd) => string])[] = [
  ['write to it',               (fd) => errnoOf('pwrite64', fd.number, Buffer.from('x'), 1, 0)],
  ['shorten it',                (fd) => errnoOf('ftruncate', fd.number, 1)],
  ['lengthen it',               (fd) => errnoOf('ftruncate', fd.number, 4096)],
  ['map it shared and writable', (fd) => map(fd, PROT_READ | PROT_WRITE, MAP_SHARED)],
  ['seal it further',           (fd) => errnoOf('fcntl', fd.number, F_ADD_SEALS, F_SEAL_WRITE)],
  ['punch a hole in it',        (fd) => errnoOf('fallocate', fd.number, 3, 0, 4096)],
];

describe('executableFile()', () => {
  for (const [attack, attempt] of ATTACKS) {
    it(`gives a file such that nobody can ${attack}`, () => {
      using sealed = executableFile(CONTENT, '/tmp');
      using control = unsealedFile();
      expect([attempt(sealed), attempt(control)]).toEqual(['EPERM', 'done']);
    });
  }

  it('can be mapped for reading, as the kernel does to execute it', () => {
    using sealed = executableFile(CONTENT, '/tmp');
    expect(map(sealed, PROT_READ, MAP_PRIVATE)).toBe('done');
  });

  it('carries every seal', () => {
    using sealed = executableFile(CONTENT, '/tmp');
    using control = unsealedFile();
    expect(syscall('fcntl', sealed.number, F_GET_SEALS) & SEALS).toBe(SEALS);
    expect(syscall('fcntl', control.number, F_GET_SEALS) & SEALS).toBe(0);
  });

  it('has mode 0500 and is close-on-exec', () => {
    using sealed = executableFile(CONTENT, '/tmp');
    expect(fstatSync(sealed.number).mode & 0o7777).toBe(0o500);
    expect(syscall('fcntl', sealed.number, 1)).toBe(1);
  });

  it('gives root, who may open it for writing by its /proc name, nothing to write with', () => {
    const rewrite = (fd: Fd): string => {
      const path = `/proc/self/fd/${fd.number}`;
      try {
        chmodSync(path, 0o700);
        const again = openSync(path, 'r+');
        try {
          writeSync(again, 'x');
          ftruncateSync(again, 0);
        } finally {
          closeSync(again);
        }
        return 'rewritten';
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? String(error);
      }
    };
    using sealed = executableFile(CONTENT, '/tmp');
    using control = unsealedFile();
    expect([rewrite(sealed), rewrite(control)]).toEqual(['EPERM', 'rewritten']);
    expect(fstatSync(sealed.number).size).toBe(CONTENT.length);
  });

  it('cannot be opened for writing by another user', (context) => {
    context.skip(process.getuid?.() !== 0, 'needs root, to become another user');
    const open = (fd: Fd): number | null =>
      spawnSync('/bin/sh', ['-c', 'exec 3<>/proc/self/fd/9'], {
        uid: 65534,
        gid: 65534,
        stdio: ['ignore', 'ignore', 'ignore', ...Array(6).fill('ignore'), fd.number],
      }).status;
    using sealed = executableFile(CONTENT, '/tmp');
    using control = unsealedFile();
    chmodSync(`/proc/self/fd/${control.number}`, 0o777);
    expect(open(sealed)).not.toBe(0);
    expect(open(control)).toBe(0);
  });
});

/** Runs the script in a pid namespace of its own, after `prepare`; the sysctl is that namespace's. */
function inPidNamespace(prepare: string, directory: string): Record<string, unknown> {
  const script = join(import.meta.dirname, '../../support/stage-without-memfd.ts');
  const command = `${prepare} && exec "$0" "$1" "$2"`;
  const namespace = ['-p', '-m', '-f', '--mount-proc', 'sh', '-c', command];
  const output = execFileSync('unshare', [...namespace, process.execPath, script, directory], {
    encoding: 'utf8',
  });
  return JSON.parse(output);
}

const FORBID = 'echo 2 > /proc/sys/vm/memfd_noexec';

describe('executableFile() where vm.memfd_noexec=2', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync('/dev/shm/hull-stage-');
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  beforeEach((context) => {
    const { status } = spawnSync('unshare', ['-p', '-f', '--mount-proc', 'sh', '-c', FORBID]);
    context.skip(status !== 0, 'needs root and vm.memfd_noexec (Linux 6.3)');
  });

  it('executes a file without a name in the fallback directory, whatever the umask', () => {
    const result = inPidNamespace(FORBID, directory);
    const nameless = expect.stringMatching(new RegExp(`^${directory}/#\\d+ \\(deleted\\)$`));
    expect(result).toEqual({ file: nameless, mode: 0o500, nlink: 0, code: 0, executed: nameless });
  });

  it('executes a memfd in a namespace that allows it', () => {
    const result = inPidNamespace('true', directory);
    const memfd = '/memfd:hull-stage (deleted)';
    expect(result).toEqual({ file: memfd, mode: 0o500, nlink: 0, code: 0, executed: memfd });
  });

  it('says so where the fallback directory is mounted noexec', () => {
    const result = inPidNamespace(`${FORBID} && mount -t tmpfs -o noexec none ${directory}`, directory);
    expect(result.error).toBe(
      `Error: cannot execute from "${directory}": mounted noexec, and vm.memfd_noexec=2 forbids a memfd`,
    );
  });

  it('names the path that is missing where /proc is not mounted', () => {
    const result = inPidNamespace('umount -l /proc && umount -l /proc', directory);
    expect(result.error).toMatch(
      /^SysError: posix_spawn "\/proc\/self\/fd\/\d+": no such file or directory$/,
    );
  });
});
