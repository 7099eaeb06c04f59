import { existsSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CgroupScratch, PYTHON, whyNoCgroups } from '../../support/cgroup-scratch.ts';

const reason = whyNoCgroups();
const noFuse = reason ?? (existsSync('/dev/fuse') ? undefined : 'needs /dev/fuse');
const HANG = [PYTHON, path.resolve(import.meta.dirname, '../../support/hang.py')];
const ECHO = ['sh', '-c', 'while read line; do echo "$line"; done'];

describe.skipIf(reason !== undefined)(`freezing a cgroup (${reason ?? 'as root'})`, () => {
  it('stops its processes until it is thawed', async () => {
    await using scratch = new CgroupScratch();
    using cgroup = scratch.create();
    const resident = await scratch.start(cgroup, ECHO);
    expect(await resident.ask('before')).toBe('before');
    await cgroup.freeze();
    expect(cgroup.state()).toEqual({ populated: true, frozen: true });
    const answer = resident.ask('after');
    expect(await Promise.race([answer, setTimeout(100, 'silence')])).toBe('silence');
    await cgroup.thaw();
    expect(await answer).toBe('after');
    expect(cgroup.state()).toEqual({ populated: true, frozen: false });
  });

  it('includes the cgroups below it', async () => {
    await using scratch = new CgroupScratch();
    const top = scratch.newPath();
    using cgroup = scratch.create(top);
    using below = scratch.create(`${top}/below`);
    await scratch.start(below, ECHO);
    await cgroup.freeze();
    expect(below.state().frozen).toBe(true);
  });

  it('reports one that stays frozen with its parent', async () => {
    await using scratch = new CgroupScratch();
    const top = scratch.newPath();
    using parent = scratch.create(top);
    using below = scratch.create(`${top}/below`);
    await scratch.start(below, ECHO);
    await parent.freeze();
    await expect(below.thaw(50)).rejects.toThrow('timeout of 0.05s reached waiting for the cgroup to thaw');
    await parent.thaw();
    await below.thaw(50);
  });

  it('is no protection from being killed', async () => {
    await using scratch = new CgroupScratch();
    using cgroup = scratch.create();
    const resident = await scratch.start(cgroup, ECHO);
    await cgroup.freeze();
    await cgroup.kill();
    await resident.ended;
    expect(resident.ending).toBe('SIGKILL');
  });

  it('tells an empty cgroup from a populated one', async () => {
    await using scratch = new CgroupScratch();
    using cgroup = scratch.create();
    expect(cgroup.state()).toEqual({ populated: false, frozen: false });
    writeFileSync(scratch.directory(`${cgroup.path}/cgroup.freeze`), '1');
    expect(cgroup.state()).toEqual({ populated: false, frozen: true });
  });
});

describe.skipIf(noFuse !== undefined)(`freezing what cannot be frozen (${noFuse ?? 'as root'})`, () => {
  it('gives up in time, and leaves nothing frozen', async () => {
    await using scratch = new CgroupScratch();
    using cgroup = scratch.create();
    const place = mkdtempSync(path.join(tmpdir(), 'hull-hang-'));
    try {
      const hanging = await scratch.start(cgroup, HANG);
      const resident = await scratch.start(cgroup, ECHO);
      expect(await hanging.ask(place)).toBe('hanging');
      while (!readFileSync(`/proc/${hanging.pid}/status`, 'utf8').includes('State:\tD')) await setTimeout(5);
      await expect(cgroup.freeze(200)).rejects.toThrow(
        'timeout of 0.2s reached waiting for the cgroup to freeze',
      );
      expect(await resident.ask('alive')).toBe('alive');
      await cgroup.kill();
      await hanging.ended;
      expect(hanging.ending).toBe('SIGKILL');
    } finally {
      rmdirSync(place);
    }
  });
});
