/** OCI bundles in a temporary directory: a small static root, and a configuration that a test changes. */

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { probe } from './compile.ts';
import { baseConfig, type Config } from './config.ts';

const BUSYBOX_PLACES = ['/bin/busybox', '/usr/bin/busybox'];

// biome-ignore format: a table
const APPLETS = [
  'sh', 'cat', 'chmod', 'chown', 'cp', 'date', 'echo', 'env', 'false', 'grep', 'head', 'hostname', 'id', 'ip', 'kill',
  'ln', 'ls', 'mkdir', 'mknod', 'mount', 'mv', 'ps', 'pwd', 'readlink', 'rm', 'sed', 'sleep', 'sort', 'stat', 'stty',
  'test', 'touch', 'true', 'tty', 'umount', 'wc',
];

const DIRECTORIES: readonly [name: string, mode: number][] = [
  ['bin', 0o755],
  ['dev', 0o755],
  ['etc', 0o755],
  ['home', 0o755],
  ['proc', 0o555],
  ['sys', 0o555],
  ['tmp', 0o1777],
];

const PASSWD = `root:x:0:0:root:/root:/bin/sh
tester:x:1000:1000:tester:/home/tester:/bin/sh
4294967296:x:0:0:a number for a name:/root:/bin/sh
`;
const GROUP = `root:x:0:
tty:x:5:
tester:x:1000:
`;

/** The static busybox of the distribution; says which package is missing. */
export function busybox(): string {
  const place = BUSYBOX_PLACES.find((candidate) => existsSync(candidate));
  if (place === undefined) throw new Error('cannot find busybox: install the package busybox-static');
  const kind = execFileSync('sh', ['-c', 'ldd "$1" 2>&1 || true', 'sh', place], { encoding: 'utf8' });
  if (!/not a dynamic executable|statically linked/.test(kind)) {
    throw new Error(`cannot use "${place}": it is not static, install the package busybox-static`);
  }
  return place;
}

let checkedBusybox: string | undefined;

/** A root filesystem with real directories, busybox and the probe: copies, so that a test may spoil them. */
export function makeRootfs(directory: string): void {
  checkedBusybox ??= busybox();
  for (const [name, mode] of DIRECTORIES) {
    mkdirSync(path.join(directory, name), { recursive: true });
    chmodSync(path.join(directory, name), mode);
  }
  copyFileSync(checkedBusybox, path.join(directory, 'bin/busybox'));
  copyFileSync(probe(), path.join(directory, 'bin/probe'));
  for (const applet of APPLETS) symlinkSync('busybox', path.join(directory, 'bin', applet));
  writeFileSync(path.join(directory, 'etc/passwd'), PASSWD);
  writeFileSync(path.join(directory, 'etc/group'), GROUP);
}

export type ConfigChange = (config: Config) => void;

export class Bundle {
  readonly directory: string;
  readonly rootfs: string;

  constructor(directory: string, change: ConfigChange = () => {}) {
    this.directory = directory;
    this.rootfs = path.join(directory, 'rootfs');
    mkdirSync(this.rootfs, { recursive: true });
    makeRootfs(this.rootfs);
    this.configure(change);
  }

  get configPath(): string {
    return path.join(this.directory, 'config.json');
  }

  /** Writes the base configuration with `change` applied; what an earlier call changed is gone. */
  configure(change: ConfigChange): void {
    const config = baseConfig();
    change(config);
    this.writeConfig(JSON.stringify(config, null, 2));
  }

  writeConfig(text: string | Uint8Array): void {
    writeFileSync(this.configPath, text);
  }

  /** A path inside the root filesystem, as the host sees it. */
  inside(...parts: string[]): string {
    return path.join(this.rootfs, ...parts);
  }
}
