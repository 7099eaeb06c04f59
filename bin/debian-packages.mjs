// The Debian packages that a task needs, and their installation.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const ALL = ['demo', 'test', 'bench'];

/**
 * `has` is what the package brings: a program on PATH, or a file in one of several places. Nothing here is needed to
 * run hull itself but the two libraries.
 */
// biome-ignore format: a table
const PACKAGES = [
  { name: 'libatomic1', has: ['/usr/lib/x86_64-linux-gnu/libatomic.so.1', '/usr/lib/aarch64-linux-gnu/libatomic.so.1'],
    tasks: [...ALL, 'check', 'fix', 'build'], why: 'the pinned Node is linked to it' },
  { name: 'libseccomp2', has: ['/usr/lib/x86_64-linux-gnu/libseccomp.so.2', '/usr/lib/aarch64-linux-gnu/libseccomp.so.2'],
    tasks: ALL, why: 'compiles seccomp filters' },
  { name: 'busybox-static', has: ['/usr/share/doc/busybox-static'], tasks: ALL, why: 'is the root file system of the containers' },
  { name: 'runc', has: ['runc'], tasks: ['test', 'bench'], why: 'runs the same tests, to show that they are right' },
  { name: 'crun', has: ['crun'], tasks: ['test', 'bench'], why: 'runs the same tests, to show that they are right' },
  { name: 'umoci', has: ['umoci'], tasks: ['test', 'bench'], why: 'unpacks the same images, for comparison' },
  { name: 'skopeo', has: ['skopeo'], tasks: ['test'], why: 'makes images in other formats' },
  { name: 'debootstrap', has: ['debootstrap'], tasks: ['test', 'bench'], why: 'makes an image with a real system in it' },
  { name: 'qemu-user-static', has: ['qemu-aarch64-static'], tasks: ['test'], why: 'runs the arm64 stage on x86-64' },
  { name: 'binutils', has: ['objdump'], tasks: ['test'], why: 'disassembles what the assembler wrote' },
  { name: 'binutils-aarch64-linux-gnu', has: ['aarch64-linux-gnu-objdump'], tasks: ['test'], why: 'the same for arm64' },
  { name: 'gcc', has: ['gcc'], tasks: ['test', 'bench'], why: 'compiles the probes that look around inside a container' },
  { name: 'libc6-dev', has: ['/usr/include/stdio.h'], tasks: ['test', 'bench'], why: 'has the C headers that ABI tables are held against' },
  { name: 'linux-libc-dev-arm64-cross', has: ['/usr/aarch64-linux-gnu/include/asm/fcntl.h', '/lib/ld-linux-aarch64.so.1'],
    tasks: ['test'], why: 'has the same of arm64' },
  { name: 'python3', has: ['python3'], tasks: ['test'], why: 'reads file trees and cgroups without any of our own code' },
  { name: 'strace', has: ['strace'], tasks: ['test'], why: 'shows which system calls were made' },
  { name: 'time', has: ['/usr/bin/time'], tasks: ['bench'], why: 'says how much memory a program took' },
  { name: 'uidmap', has: ['newuidmap'], tasks: ['test'], why: 'maps ids for rootless containers' },
];

/** Where Debian puts programs, whatever PATH the caller has. */
const PROGRAM_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isPresent(thing) {
  if (thing.startsWith('/')) return existsSync(thing);
  const path = (process.env.PATH ?? '').split(delimiter);
  return [...path, ...PROGRAM_DIRECTORIES].some((directory) => isProgram(join(directory, thing)));
}

const missingFor = (task) =>
  PACKAGES.filter(({ tasks, has }) => tasks.includes(task) && !has.some(isPresent));

function aptInstall(names) {
  const args = ['install', '--yes', '--quiet', '--no-install-recommends', ...names];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return (
    spawnSync('apt-get', args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).status === 0
  );
}

/** At once if it can be, after an update if the lists are old, and at last one by one, so that one cannot stop the rest. */
function install(names) {
  if (aptInstall(names)) return;
  spawnSync('apt-get', ['update', '--quiet'], { stdio: 'ignore' });
  if (!aptInstall(names)) for (const name of names) aptInstall([name]);
}

/** Installs what is missing where it can, and says what stays missing. */
export function ensurePackages(task) {
  const missing = missingFor(task);
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  const canInstall = process.getuid() === 0 && isPresent('apt-get');
  if (canInstall) {
    console.log(`Installing Debian packages that \`npm run ${task}\` needs: ${names.join(' ')}`);
    install(names);
  }
  const still = missingFor(task);
  if (still.length === 0) return;
  const why = canInstall ? 'apt-get could not install them' : 'apt-get, run by root, would install them';
  console.log(`Missing Debian packages (${why}); what needs them is skipped:`);
  for (const { name, why: use } of still) console.log(`  ${name}: ${use}`);
}
