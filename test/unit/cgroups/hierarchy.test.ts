import { describe, expect, it } from 'vitest';
import { parseCgroupMounts, parseOwnCgroup } from '../../../cgroups/hierarchy.ts';

const UNIFIED = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
29 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate
`;
const HYBRID = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;

describe('parseCgroupMounts()', () => {
  it('finds the one of a unified host', () => {
    expect(parseCgroupMounts(UNIFIED)).toEqual([{ mountPoint: '/sys/fs/cgroup', layout: 'unified' }]);
  });

  it('calls a host hybrid that has v1 hierarchies too', () => {
    expect(parseCgroupMounts(HYBRID)).toEqual([{ mountPoint: '/sys/fs/cgroup/unified', layout: 'hybrid' }]);
  });

  it('finds none on a v1 host', () => {
    expect(parseCgroupMounts(HYBRID.split('\n').slice(0, 2).join('\n'))).toEqual([]);
  });

  it('reads a mount point with spaces and letters beyond ASCII as it is', () => {
    const line = Buffer.from('41 31 0:38 / /mnt/a\\040b\\134\u00fc rw - cgroup2 cgroup2 rw\n').toString(
      'latin1',
    );
    expect(parseCgroupMounts(line)).toEqual([{ mountPoint: '/mnt/a b\\\u00fc', layout: 'unified' }]);
  });

  it('reads past any number of optional fields', () => {
    const line = '41 31 0:38 / /cg rw shared:1 master:2 propagate_from:3 - cgroup2 none rw\n';
    expect(parseCgroupMounts(line)).toEqual([{ mountPoint: '/cg', layout: 'unified' }]);
  });
});

describe('parseOwnCgroup()', () => {
  it('takes the cgroup2 line among those of v1', () => {
    expect(parseOwnCgroup('9:name=systemd:/x\n4:memory:/y\n0::/user.slice/a:b\n')).toBe('/user.slice/a:b');
  });

  it('refuses a place outside the cgroup namespace', () => {
    expect(() => parseOwnCgroup('0::/../outer\n')).toThrow(
      'cannot use own cgroup "/../outer": it is outside the cgroup namespace',
    );
  });

  it('refuses a text without a cgroup2 line', () => {
    expect(() => parseOwnCgroup('4:memory:/y\n')).toThrow('/proc/self/cgroup has no cgroup2 entry');
  });
});
