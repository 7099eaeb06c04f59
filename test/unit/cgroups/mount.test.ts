import { describe, expect, it } from 'vitest';
import { planCgroupMount } from '../../../cgroups/mount.ts';

const unified = { mountPoint: '/sys/fs/cgroup', layout: 'unified' } as const;
const hybrid = { mountPoint: '/sys/fs/cgroup/unified', layout: 'hybrid' } as const;

describe('planCgroupMount()', () => {
  it('mounts cgroup2 anew in a cgroup namespace, or binds the own cgroup where that is refused', () => {
    const context = { hierarchy: unified, cgroupPath: '/a/c1', hasCgroupNamespace: true };
    expect(planCgroupMount(context)).toEqual({
      kind: 'new',
      type: 'cgroup2',
      options: [],
      fallback: { on: ['EPERM', 'EBUSY'], mount: { kind: 'bind', source: '/sys/fs/cgroup/a/c1' } },
    });
  });

  it('shows the cgroup2 hierarchy of a hybrid host', () => {
    const context = { hierarchy: hybrid, cgroupPath: '/c1', hasCgroupNamespace: true };
    expect(planCgroupMount(context)).toMatchObject({
      type: 'cgroup2',
      fallback: { mount: { source: '/sys/fs/cgroup/unified/c1' } },
    });
  });

  it("never mounts cgroup2 anew from the host's cgroup namespace", () => {
    const context = { hierarchy: unified, cgroupPath: '/a/c1', hasCgroupNamespace: false };
    expect(planCgroupMount(context)).toEqual({ kind: 'bind', source: '/sys/fs/cgroup' });
  });

  it('falls back to the whole hierarchy for a container without a cgroup', () => {
    const context = { hierarchy: unified, cgroupPath: undefined, hasCgroupNamespace: true };
    expect(planCgroupMount(context)).toMatchObject({ fallback: { mount: { source: '/sys/fs/cgroup/' } } });
  });

  it('leaves an empty read-only directory where there is no hierarchy', () => {
    const context = { hierarchy: undefined, cgroupPath: undefined, hasCgroupNamespace: true };
    expect(planCgroupMount(context)).toEqual({
      kind: 'new',
      type: 'tmpfs',
      options: ['ro', 'nosuid', 'noexec', 'nodev'],
    });
  });
});
