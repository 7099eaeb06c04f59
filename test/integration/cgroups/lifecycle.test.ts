import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCgroup, removeCgroup, type SavedCgroup } from '../../../cgroups/cgroup.ts';
import { createCgroup } from '../../../cgroups/create.ts';
import { CgroupScratch, whyNoCgroups } from '../../support/cgroup-scratch.ts';

const reason = whyNoCgroups();
const ECHO = ['sh', '-c', 'while read line; do echo "$line"; done'];

describe.skipIf(reason !== undefined)(`a cgroup (${reason ?? 'as root'})`, () => {
  it('is made with its parents, and removed with those that were made', async () => {
    await using scratch = new CgroupScratch();
    const top = scratch.newPath();
    using cgroup = scratch.create(`${top}/pod/c1`);
    expect(cgroup.made).toEqual([top, `${top}/pod`, `${top}/pod/c1`]);
    expect(statSync(scratch.directory(cgroup.path)).ino).toBe(cgroup.save().inode);
    await cgroup.remove();
    expect(existsSync(scratch.directory(top))).toBe(false);
  });

  it('leaves parents that somebody else still uses', async () => {
    await using scratch = new CgroupScratch();
    const top = scratch.newPath();
    using first = scratch.create(`${top}/c1`);
    using second = scratch.create(`${top}/c2`);
    expect(second.made).toEqual([`${top}/c2`]);
    await first.remove();
    expect(existsSync(scratch.directory(`${top}/c2`))).toBe(true);
    expect(existsSync(scratch.directory(`${top}/c1`))).toBe(false);
  });

  it('takes an empty one that exists, and never removes it', async () => {
    await using scratch = new CgroupScratch();
    const existing = scratch.newPath();
    mkdirSync(scratch.directory(existing));
    using cgroup = scratch.create(existing);
    expect(cgroup.made).toEqual([]);
    await cgroup.remove();
    expect(existsSync(scratch.directory(existing))).toBe(true);
  });

  it('is refused where processes run, also in a cgroup below', async () => {
    await using scratch = new CgroupScratch();
    const existing = scratch.newPath();
    using below = scratch.create(`${existing}/below`);
    await scratch.start(below, ECHO);
    await scratch.start(below, ECHO);
    expect(() => scratch.create(existing)).toThrow("container's cgroup is not empty: 2 process(es) found");
    await below.kill();
    scratch.create(existing)[Symbol.dispose]();
  });

  it('is refused where it is frozen', async () => {
    await using scratch = new CgroupScratch();
    const existing = scratch.newPath();
    mkdirSync(scratch.directory(existing));
    const freeze = path.join(scratch.directory(existing), 'cgroup.freeze');
    writeFileSync(freeze, '1');
    expect(() => scratch.create(existing)).toThrow("container's cgroup unexpectedly frozen");
    writeFileSync(freeze, '0');
    scratch.create(existing)[Symbol.dispose]();
  });

  it('leaves nothing behind when it cannot be made', async () => {
    await using scratch = new CgroupScratch();
    const top = scratch.newPath();
    // The kernel keeps these names for its files: EEXIST for mkdir, but then it is no directory.
    expect(() => scratch.create(`${top}/a/cgroup.procs`)).toThrow();
    expect(existsSync(scratch.directory(top))).toBe(false);
  });

  it('cannot be placed outside the hierarchy, even by a path that was not checked', async () => {
    await using scratch = new CgroupScratch();
    expect(() => createCgroup(scratch.hierarchy, '/../../../tmp/hull-test-outside')).toThrow();
    expect(existsSync('/tmp/hull-test-outside')).toBe(false);
  });

  it('is not made in what somebody mounted over a cgroup', async () => {
    await using scratch = new CgroupScratch();
    const top = scratch.newPath();
    mkdirSync(scratch.directory(top));
    const modules = path.resolve(import.meta.dirname, '../../../cgroups');
    const create = `
      const { findHierarchy } = await import('${modules}/hierarchy.ts');
      const { createCgroup } = await import('${modules}/create.ts');
      try {
        await createCgroup(findHierarchy(), '${top}/c1').remove();
        console.log('made');
      } catch (error) {
        console.log(error.message);
      }`;
    const createAfter = (preparation: string): string => {
      const script = `${preparation} && exec "$0" --input-type=module -e "$1"`;
      const argv = ['-m', '--propagation', 'private', 'sh', '-c', script, process.execPath, create];
      return execFileSync('unshare', argv, { encoding: 'utf8' }).trim();
    };
    expect(createAfter('true')).toBe('made');
    expect(createAfter(`mount -t tmpfs none ${scratch.directory(top)}`)).toBe(
      `openat2 "${top.slice(1)}": invalid cross-device link`,
    );
  });

  it('is entered by join(), which says of whom and why not', async () => {
    await using scratch = new CgroupScratch();
    using cgroup = scratch.create();
    const resident = await scratch.start(cgroup, ECHO);
    expect(readFileSync(`/proc/${resident.pid}/cgroup`, 'utf8')).toContain(`0::${cgroup.path}\n`);
    expect(cgroup.processes()).toEqual([resident.pid]);
    await expect(cgroup.join(2 ** 22)).rejects.toThrow(
      `cannot move process 4194304 to cgroup "${cgroup.path}": write "cgroup.procs: 4194304": no such process`,
    );
  });

  it('says when a threaded parent makes it useless', async () => {
    await using scratch = new CgroupScratch();
    const top = scratch.newPath();
    using parent = scratch.create(top);
    mkdirSync(scratch.directory(`${top}/threaded`));
    writeFileSync(scratch.directory(`${top}/threaded/cgroup.type`), 'threaded');
    using cgroup = scratch.create(`${top}/c1`);
    expect([parent.type(), cgroup.type()]).toEqual(['domain threaded', 'domain invalid']);
    await expect(cgroup.join(process.pid)).rejects.toThrow('it is in "domain invalid" mode');
  });

  it('is removed with what the container made in it', async () => {
    await using scratch = new CgroupScratch();
    using cgroup = scratch.create();
    mkdirSync(scratch.directory(`${cgroup.path}/a/b/c`), { recursive: true });
    mkdirSync(scratch.directory(`${cgroup.path}/a/d`));
    await cgroup.remove();
    expect(existsSync(scratch.directory(cgroup.path))).toBe(false);
  });

  it('is not removed while a process is in it, but as soon as it has gone', async () => {
    await using scratch = new CgroupScratch();
    using cgroup = scratch.create();
    mkdirSync(scratch.directory(`${cgroup.path}/sub`));
    const resident = await scratch.start(cgroup, ECHO);
    await expect(cgroup.remove(30)).rejects.toThrow(
      `cannot remove cgroup "${cgroup.path}": 1 process(es) in it after 30 ms`,
    );
    process.kill(resident.pid, 'SIGKILL');
    await cgroup.remove();
    expect(existsSync(scratch.directory(cgroup.path))).toBe(false);
  });

  it('refuses to follow a container that nests its cgroups without end', async () => {
    await using scratch = new CgroupScratch();
    using cgroup = scratch.create();
    const deep = scratch.directory(`${cgroup.path}${'/a'.repeat(257)}`);
    mkdirSync(deep, { recursive: true });
    expect(() => cgroup.processes()).toThrow('sub-cgroups are nested more than 256 deep');
    rmdirSync(deep);
    expect(cgroup.processes()).toEqual([]);
    await cgroup.remove();
  });
});

describe.skipIf(reason !== undefined)(`openCgroup() (${reason ?? 'as root'})`, () => {
  const reopen = (saved: SavedCgroup): SavedCgroup => JSON.parse(JSON.stringify(saved));

  it('finds a saved cgroup again, in another process too', async () => {
    await using scratch = new CgroupScratch();
    using cgroup = scratch.create(`${scratch.newPath()}/c1`);
    const resident = await scratch.start(cgroup, ECHO);
    const modules = path.resolve(import.meta.dirname, '../../../cgroups');
    const script = `
      const { findHierarchy } = await import('${modules}/hierarchy.ts');
      const { openCgroup } = await import('${modules}/cgroup.ts');
      const cgroup = openCgroup(findHierarchy(), JSON.parse(process.argv[1]));
      console.log(cgroup.processes().join());
      await cgroup.kill();
      await cgroup.remove();`;
    const argv = ['--input-type=module', '-e', script, JSON.stringify(cgroup.save())];
    expect(execFileSync(process.execPath, argv, { encoding: 'utf8' })).toBe(`${resident.pid}\n`);
    await resident.ended;
    expect(existsSync(path.dirname(scratch.directory(cgroup.path)))).toBe(false);
  });

  it('does not find one that has been removed, nor another that has its path', async () => {
    await using scratch = new CgroupScratch();
    using cgroup = scratch.create();
    const saved = reopen(cgroup.save());
    openCgroup(scratch.hierarchy, saved)?.[Symbol.dispose]();
    rmdirSync(scratch.directory(cgroup.path));
    expect(openCgroup(scratch.hierarchy, saved)).toBeUndefined();
    using other = scratch.create(cgroup.path);
    expect(openCgroup(scratch.hierarchy, saved)).toBeUndefined();
    await removeCgroup(scratch.hierarchy, saved);
    expect(existsSync(scratch.directory(other.path))).toBe(true);
  });

  it('lets removeCgroup() finish what was begun', async () => {
    await using scratch = new CgroupScratch();
    const top = scratch.newPath();
    using cgroup = scratch.create(`${top}/c1`);
    const saved = reopen(cgroup.save());
    rmdirSync(scratch.directory(cgroup.path));
    await removeCgroup(scratch.hierarchy, saved);
    expect(existsSync(scratch.directory(top))).toBe(false);
    await removeCgroup(scratch.hierarchy, saved);
  });

  it('gives an object on which killing and asking is harmless after the removal', async () => {
    await using scratch = new CgroupScratch();
    using cgroup = scratch.create();
    rmdirSync(scratch.directory(cgroup.path));
    await cgroup.kill();
    await cgroup.remove();
    expect(cgroup.processes()).toEqual([]);
  });
});
