/**
 * A real distribution as an OCI layout: Debian by debootstrap, an interpreter by apt, deletions; each a layer that
 * umoci(1) made. Built once a machine, which takes a minute or two, into the cache of node_modules.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { Lock } from '../../../image/store/lock.ts';
import { syscall } from '../../../sys/syscall.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '../../..');

/** The tag of the finished image. */
export const DEBIAN_TAG = 'final';

/** debootstrap's own mirror would do, but this machine's apt may know a nearer one. */
interface Mirror {
  readonly uri: string;
  readonly suite: string;
}

/** The layout's directory. */
export async function debianLayout(): Promise<string> {
  const cache = path.join(realpathSync(path.join(CHECKOUT, 'node_modules')), '.cache/hull-test-images');
  mkdirSync(cache, { recursive: true });
  const stamp = createHash('sha256')
    .update(readFileSync(import.meta.filename))
    .digest('hex')
    .slice(0, 16);
  const layout = path.join(cache, `debian-${stamp}`);
  using _building = await Lock.acquire(path.join(cache, 'debian.lock'), 'exclusive');
  if (existsSync(layout)) return layout;
  const work = mkdtempSync(path.join(cache, 'work-'));
  try {
    build(work, findMirror());
    for (const old of readdirSync(cache).filter((name) => name.startsWith('debian-'))) {
      rmSync(path.join(cache, old), { recursive: true });
    }
    renameSync(path.join(work, 'layout'), layout);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return layout;
}

function findMirror(): Mirror {
  const format = '$(REPO_URI) $(RELEASE) $(CREATED_BY)';
  const lines = execFileSync('apt-get', ['indextargets', '--format', format], { encoding: 'utf8' }).split(
    '\n',
  );
  for (const line of lines) {
    const [uri = '', suite = '', kind] = line.split(' ');
    if (kind === 'Packages' && /\/debian\/?$/.test(uri)) return { uri, suite };
  }
  throw new Error('apt knows no Debian mirror to make the test image from');
}

function build(work: string, { uri, suite }: Mirror): void {
  const image = path.join(work, 'layout');
  const bundle = path.join(work, 'bundle');
  const root = path.join(bundle, 'rootfs');
  const run = (program: string, ...args: string[]): void => {
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'], cwd: work });
  };
  const inRoot = (script: string): void => run('chroot', root, '/bin/sh', '-ec', script);
  const commit = (tag: string): void =>
    run('umoci', 'repack', '--refresh-bundle', '--image', `${image}:${tag}`, bundle);

  run('umoci', 'init', '--layout', image);
  run('umoci', 'new', '--image', `${image}:empty`);
  run('umoci', 'unpack', '--image', `${image}:empty`, bundle);
  run('debootstrap', '--variant=minbase', suite, root, uri);
  inRoot('rm -rf /proc/* /var/log/bootstrap.log');
  commit('base');

  inRoot(
    'export DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes; apt-get -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends install python3 >/dev/null',
  );
  inRoot('ln /usr/bin/python3.* /usr/local/bin/; mkfifo /run/fifo; mknod /dev/test b 7 200');
  // Of a program that no test runs: without that capability in its bounding set, a container gets EPERM for it.
  setXattr(path.join(root, 'usr/bin/chrt'), 'security.capability', CAP_NET_RAW);
  setXattr(path.join(root, 'etc/hostname'), 'user.hull', '00ff0a3d');
  commit('python');

  inRoot(`
    rm -rf /usr/share/doc /usr/share/locale /var/cache/apt/* /var/lib/apt/lists/* /etc/motd
    rm -rf /etc/skel; echo now a file > /etc/skel
    rm /etc/issue; mkdir /etc/issue; echo now a directory > /etc/issue/content
    chmod 4755 /usr/bin/env; chown 33:33 /srv; touch -d 2001-02-03T04:05:06.789012345Z /srv /etc/hostname
    mkdir -p "/opt/a b"; echo x > "$(printf '/opt/a b/\\377\\n')"
  `);
  commit(DEBIAN_TAG);
  run(
    'umoci',
    'config',
    '--image',
    `${image}:${DEBIAN_TAG}`,
    '--config.cmd',
    '/bin/bash',
    '--config.env',
    'LANG=C.UTF-8',
  );
}

/** A v2 file capability, cap_net_raw=ep: bytes that a decoder of text would destroy. */
const CAP_NET_RAW = '0100000200200000000000000000000000000000';

function setXattr(file: string, name: string, hex: string): void {
  const value = Buffer.from(hex, 'hex');
  syscall('lsetxattr', file, name, value, value.length, 0);
}
