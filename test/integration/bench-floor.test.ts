// The C program that the benchmark compares hull with has to do all of the work: its container is looked at from inside.
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ContainerScratch } from '../../bench/container-scratch.ts';
import { findHierarchy } from '../../cgroups/hierarchy.ts';

const HULL = join(import.meta.dirname, '../../bin/hull');
const ID = `hull-floor-${process.pid}`;

/** In place of /bin/true. The numbers of mounts and of their devices are left out: no two containers have the same. */
const LOOK = `#!/bin/busybox sh
while read -r id parent device rest; do echo "mount $rest"; done </proc/self/mountinfo | /bin/busybox sort
/bin/busybox hostname
/bin/busybox env | /bin/busybox sort
/bin/busybox grep -E 'Cap|NoNewPrivs|Umask|Groups|NSpid|NSsid' /proc/self/status
/bin/busybox grep 'open files' /proc/self/limits
/bin/busybox ip link | /bin/busybox grep -v link/
/bin/busybox stat -c '%N %A %U %t:%T' /dev/* /dev/pts/ptmx
/bin/busybox grep 0:: /proc/self/cgroup
/bin/busybox ls /proc/self/fd
for device in /dev/null /dev/zero /dev/full /dev/random /dev/urandom /etc/other; do
  /bin/busybox head -c 0 <$device && echo "can open $device"
done
/bin/busybox touch /file && echo made a file
exit 0
`;

/** A device that no container is given, and that needs no capability: only a device filter is in the way. */
const LOOP_CONTROL = ['10', '237'];

/** What the look printed, line by line; the cgroup has another name in each. */
function look([program = '', ...args]: readonly string[], cgroup: string): string[] {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return `${stdout}${stderr}`.replaceAll(cgroup, 'CGROUP').trimEnd().split('\n');
}

describe('floor.c', () => {
  it('makes the container that hull makes', ({ skip }) => {
    using hierarchy = findHierarchy();
    if (hierarchy === undefined) return skip('needs a cgroup2 hierarchy');
    using scratch = new ContainerScratch();
    const floor = scratch.buildFloor();
    if (floor === undefined) return skip('needs gcc');
    rmSync(join(scratch.rootfs, 'bin/true'));
    writeFileSync(join(scratch.rootfs, 'bin/true'), LOOK, { mode: 0o755 });
    execFileSync('mknod', [join(scratch.rootfs, 'etc/other'), 'c', ...LOOP_CONTROL]);

    const fromFloor = look([floor, ...scratch.floorArguments(hierarchy.mountPoint, `${ID}-c`, 1)], `${ID}-c`);
    const argv = [HULL, '--root', scratch.state, 'run', '--bundle', scratch.bundle, ID];
    const fromHull = look(argv, ID);

    const milliseconds = fromFloor.findIndex((line) => /^\d+\.\d{3}$/.test(line));
    expect(fromFloor.toSpliced(milliseconds, 1)).toEqual(fromHull);
    expect(fromHull).toEqual(expect.arrayContaining(['NoNewPrivs:\t1', '0::/CGROUP', 'can open /dev/null']));
  });
});
