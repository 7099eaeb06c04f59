import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findHierarchy, readOwnCgroup } from '../../../cgroups/hierarchy.ts';
import { CGROUP2_SUPER_MAGIC } from '../../../sys/abi/constants.ts';
import { whyNoCgroups } from '../../support/cgroup-scratch.ts';

const reason = whyNoCgroups();
const MODULE = path.resolve(import.meta.dirname, '../../../cgroups/hierarchy.ts');

/** What findHierarchy() says in a mount namespace of its own, after `preparation`. */
function findAfter(preparation: string): string {
  const print = `const { findHierarchy } = await import('${MODULE}');
    const found = findHierarchy();
    console.log(found ? found.mountPoint + ' ' + found.layout : 'none');`;
  const script = `set -e; ${preparation}; exec "$0" --input-type=module -e "$1"`;
  const argv = ['-m', '--propagation', 'private', 'sh', '-c', script, process.execPath, print];
  return execFileSync('unshare', argv, { encoding: 'utf8' }).trim();
}

describe.skipIf(reason !== undefined)(`findHierarchy() (${reason ?? 'as root'})`, () => {
  it('finds the mount of this host', () => {
    using hierarchy = findHierarchy();
    expect(hierarchy && statfsSync(hierarchy.mountPoint).type).toBe(CGROUP2_SUPER_MAGIC);
    expect(findAfter('true')).toBe(`${hierarchy?.mountPoint} ${hierarchy?.layout}`);
  });

  it('finds one at an unusual place', () => {
    using hierarchy = findHierarchy();
    const place = mkdtempSync(path.join(tmpdir(), 'hull a place-'));
    try {
      // A bind, not a new mount: that would reset the options of the host's own.
      const bind = `mount --bind ${hierarchy?.mountPoint} '${place}' && umount -R -l /sys/fs/cgroup`;
      expect(findAfter(bind)).toBe(`${place} unified`);
      expect(findAfter(`${bind} && mount -t tmpfs none '${place}'`)).toBe('none'); // hidden by another mount
    } finally {
      rmdirSync(place);
    }
  });

  it('finds none where none is mounted', () => {
    expect(findAfter('umount -R -l /sys/fs/cgroup')).toBe('none');
  });
});

describe('readOwnCgroup()', () => {
  it('agrees with /proc/self/cgroup', () => {
    expect(readFileSync('/proc/self/cgroup', 'utf8')).toContain(`0::${readOwnCgroup()}\n`);
  });
});
