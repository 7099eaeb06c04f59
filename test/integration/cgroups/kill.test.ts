import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Cgroup } from '../../../cgroups/cgroup.ts';
import { killFrozen } from '../../../cgroups/kill.ts';
import { CgroupScratch, PYTHON, whyNoCgroups } from '../../support/cgroup-scratch.ts';

const reason = whyNoCgroups();
const ROUNDS = 20;

/**
 * Never more than 150 processes: each needs a token, and gives it back when it ends. Half of them end at once, so the
 * forking never stops; every child is in a session of its own, and its parent does not wait for it.
 */
const FORK_BOMB = `
import os, random, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
read, write = os.pipe()
os.write(write, b'x' * 150)
sys.stdin.readline()
while True:
    os.read(read, 1)
    if os.fork() != 0:
        continue
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    if random.random() < 0.5:
        os.write(write, b'x')
        os._exit(0)
`;

/** All over the machine, in whatever cgroup: those whose arguments have `marker`. */
function processesWith(marker: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(marker);
      } catch {
        return false; // it ended meanwhile
      }
    });
}

async function startBomb(scratch: CgroupScratch, cgroup: Cgroup, marker: string): Promise<void> {
  const bomb = await scratch.start(cgroup, [PYTHON, '-c', FORK_BOMB, marker]);
  bomb.send('go');
  const deadline = performance.now() + 10_000;
  while (processesWith(marker).length < 40) {
    if (performance.now() > deadline) throw new Error('the fork bomb does not go off');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe.skipIf(reason !== undefined)(`killing a cgroup (${reason ?? 'as root'})`, () => {
  it(`leaves nothing of a fork bomb, ${ROUNDS} times of ${ROUNDS}`, async () => {
    await using scratch = new CgroupScratch();
    for (let round = 0; round < ROUNDS; round++) {
      using cgroup = scratch.create();
      const marker = `hull-bomb-${process.pid}-${round}`;
      await startBomb(scratch, cgroup, marker);
      await cgroup.kill();
      expect(cgroup.state().populated).toBe(false);
      expect(processesWith(marker)).toEqual([]);
      await cgroup.remove();
    }
  });

  it('does without cgroup.kill in a few rounds', async () => {
    await using scratch = new CgroupScratch();
    for (let bomb = 0; bomb < 5; bomb++) {
      using cgroup = scratch.create();
      const marker = `hull-old-bomb-${process.pid}-${bomb}`;
      await startBomb(scratch, cgroup, marker);
      for (let round = 0; round < 5 && cgroup.state().populated; round++) await killFrozen(cgroup.fd);
      await cgroup.remove(1000);
      expect(processesWith(marker)).toEqual([]);
    }
  });

  it('spares what runs outside', async () => {
    await using scratch = new CgroupScratch();
    const top = scratch.newPath();
    using cgroup = scratch.create(`${top}/a`);
    using sibling = scratch.create(`${top}/b`);
    const echo = ['sh', '-c', 'while read line; do echo "$line"; done'];
    const inside = await scratch.start(cgroup, echo);
    const outside = [await scratch.start(sibling, echo), scratch.startOutside(echo)];
    await cgroup.kill();
    await inside.ended;
    expect(inside.ending).toBe('SIGKILL');
    for (const one of outside) expect(await one.ask('alive')).toBe('alive');
  });

  it('reaches cgroups below, and processes that are stopped', async () => {
    await using scratch = new CgroupScratch();
    const top = scratch.newPath();
    using cgroup = scratch.create(top);
    using below = scratch.create(`${top}/x/y`);
    const stopped = await scratch.start(below, ['sh', '-c', 'read line; kill -STOP $$']);
    stopped.send('stop');
    await cgroup.kill();
    await stopped.ended;
    expect(stopped.ending).toBe('SIGKILL');
    expect(cgroup.processes()).toEqual([]);
  });

  it('is done at once with an empty one', async () => {
    await using scratch = new CgroupScratch();
    using cgroup = scratch.create();
    await cgroup.kill(0);
    expect(cgroup.state()).toEqual({ populated: false, frozen: false });
  });
});
