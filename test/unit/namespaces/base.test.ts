import { describe, expect, it } from 'vitest';
import { baseOf, isMountPoint } from '../../../namespaces/base.ts';
import { type MountContext, mountJobs } from '../../../namespaces/mounts.ts';
import type { Mount } from '../../../spec/config/mount.ts';
import { slot } from '../../../sys/plan/program.ts';

const ROOT = slot('root');
const CONTEXT: MountContext = {
  bundle: '/bundle',
  cgroupMount: { kind: 'new', type: 'cgroup2', fallback: undefined },
  sysfsFallback: false,
  mayCopyUp: true,
  mayShare: false,
  isDirectory: () => true,
};

const mounted = (...mounts: Mount[]) => mountJobs(mounts, CONTEXT);
const TMPFS: Mount = { destination: '/dev', type: 'tmpfs', source: 'tmpfs' };
const SYSFS: Mount = { destination: '/sys', type: 'sysfs', source: 'sysfs' };
const BIND: Mount = { destination: '/dev/data', type: 'bind', source: '/srv', options: ['bind'] };

describe('baseOf()', () => {
  it('begins at the root where nothing was mounted on the way', () => {
    const base = baseOf('/etc/hosts', ROOT, mounted(TMPFS));
    expect(base).toEqual({ from: ROOT, at: '', path: 'etc/hosts', contents: 'unknown' });
  });

  it('begins at a new file system, whose contents are known', () => {
    const jobs = mounted(TMPFS, SYSFS);
    const [dev, sys] = jobs.map(({ tree }) => tree);
    expect(baseOf('/dev/pts', ROOT, jobs)).toEqual({ from: dev, at: '/dev', path: 'pts', contents: 'empty' });
    expect(baseOf('/sys/fs/cgroup', ROOT, jobs)).toMatchObject({ from: sys, contents: 'fixed' });
    expect(baseOf('/dev', ROOT, jobs)).toMatchObject({ from: dev, path: '' });
  });

  it('takes no name for another that begins like it', () => {
    expect(baseOf('/device', ROOT, mounted(TMPFS)).from).toBe(ROOT);
  });

  it('trusts nothing that the image or the host has filled', () => {
    const overlay: Mount = { destination: '/dev', type: 'overlay', source: 'overlay' };
    const copied: Mount = { ...TMPFS, options: ['tmpcopyup'] };
    for (const mount of [overlay, copied, { ...BIND, destination: '/dev' }]) {
      expect(baseOf('/dev/pts', ROOT, mounted(mount))).toMatchObject({ from: ROOT, path: 'dev/pts' });
    }
  });

  it('lets a later or a deeper mount hide what it covers', () => {
    expect(baseOf('/dev/data/x', ROOT, mounted(TMPFS, BIND)).from).toBe(ROOT);
    expect(baseOf('/dev/pts', ROOT, mounted(TMPFS, { ...BIND, destination: '/dev' })).from).toBe(ROOT);
    const again = mounted({ ...BIND, destination: '/dev' }, TMPFS);
    expect(baseOf('/dev/pts', ROOT, again).from).toBe(again[1]?.tree);
  });
});

describe('isMountPoint()', () => {
  it('is true of what is mounted on, and of what leads there', () => {
    const jobs = mounted(TMPFS, BIND);
    expect(['/dev', '/dev/data', '/dev/dat', '/dev/null'].map((path) => isMountPoint(path, jobs))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
