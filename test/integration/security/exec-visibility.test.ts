/** CVE-2016-9962, CVE-2019-5736: what a container sees of a runtime that enters it. Cases E-01 to E-03. */

import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { itResists } from '../../support/attack.ts';
import { type Child, until } from '../../support/child.ts';
import type { TestHost } from '../../support/host.ts';
import { mountIds } from '../../support/processes.ts';
import { commandAt, listedSteps, listSteps } from '../../support/steps.ts';

const DIRECTORY_ROUNDS = 12;

/** A container whose first process watches all others; standard output has what it saw. */
async function startWatching(host: TestHost, mode: string): Promise<{ id: string; watcher: Child }> {
  const id = host.id();
  const bundle = host.bundle((config) => {
    config.process.args = ['/bin/probe', mode, '60'];
    config.root.readonly = false;
  });
  const watcher = host.runtime.startRun(id, bundle, { flags: ['--detach'] });
  expect((await watcher.finished).status).toBe(0);
  await until('the watcher', () => watcher.stdout().includes('watching'));
  return { id, watcher };
}

async function stopWatching(host: TestHost, id: string, watcher: Child): Promise<string[]> {
  await host.runtime.kill(id, 'TERM');
  const output = await until(
    'the watcher to end',
    () => watcher.stdout().includes('done') && watcher.stdout(),
  );
  return [...new Set(output.split('\n'))].filter((line) => !/^(watching|done|)$/.test(line));
}

/** Shell commands for the stepper: hold the runtime for long enough that the watcher has seen it many times. */
const HOLD = 'sleep 0.3';

describe('the program of the runtime', () => {
  itResists('cannot be written from the container that it enters', {
    attack: async (host) => {
      const { id, watcher } = await startWatching(host, 'watch-exe');
      // Held when it becomes the container's program, the last moment at which the runtime's own can be seen.
      const under = commandAt({ match: '^(execve|execveat) .*(/bin/true|fd/)' }, HOLD);
      expect((await host.runtime.exec(id, ['/bin/true'], { under })).status).toBe(0);
      for (let round = 0; round < DIRECTORY_ROUNDS; round++) await host.runtime.exec(id, ['/bin/true']);
      const seen = await stopWatching(host, id, watcher);
      expect(seen.filter((line) => line.endsWith('write ok'))).toEqual([]);
    },
  });

  for (const program of ['/proc/self/exe', '/bin/trap']) {
    itResists(`cannot be written when the container has it run ${program}`, {
      attack: async (host) => {
        const { id, watcher } = await startWatching(host, 'watch-exe');
        for (let round = 0; round < DIRECTORY_ROUNDS; round++) {
          // It fails in one way or another; where it runs, it must not print the runtime's help as root.
          await host.runtime.exec(id, [program], { deadlineMs: 10_000 });
        }
        const seen = await stopWatching(host, id, watcher);
        expect(seen.filter((line) => line.endsWith('write ok'))).toEqual([]);
      },
      control: async (host) => {
        const { id, watcher } = await startWatching(host, 'watch-exe');
        expect((await host.runtime.exec(id, ['/bin/true'])).status).toBe(0);
        await stopWatching(host, id, watcher);
      },
    });
  }

  itResists('is not what runs when the image has a script of /proc/self/exe', {
    attack: async (host) => {
      const bundle = host.bundle((config) => {
        config.process.args = ['/bin/trap'];
      });
      writeFileSync(bundle.inside('bin/trap'), '#!/proc/self/exe\n', { mode: 0o755 });
      const outcome = await host.runtime.run(host.id(), bundle, { deadlineMs: 10_000 });
      expect(outcome.status).not.toBe(0);
      expect(await host.differences()).toEqual([]);
    },
  });
});

describe('a process that enters the container', () => {
  itResists('cannot be looked into before it is the program', {
    attack: async (host) => {
      const { id, watcher } = await startWatching(host, 'watch-processes');
      const under = commandAt({ match: '^(execve|execveat) .*/bin/true' }, HOLD);
      expect((await host.runtime.exec(id, ['/bin/true'], { under })).status).toBe(0);
      const seen = await stopWatching(host, id, watcher);
      expect(seen.filter((line) => line.startsWith('refused')).length, 'the watcher met it').toBeGreaterThan(
        0,
      );
      expect(seen.filter((line) => line.startsWith('seen'))).toEqual([]);
    },
  });

  itResists('holds no directory of the host once it is in the mount namespace', {
    attack: async (host) => {
      const { id, watcher } = await startWatching(host, 'watch-exe');
      const { pid } = await host.runtime.state(id);
      const steps = await stepsOfExec(host, id);
      const found: string[] = [];
      for (let back = 0; back < Math.min(10, steps.length); back++) {
        found.push(...(await directoriesAt(host, id, pid, steps.length - back)));
      }
      await stopWatching(host, id, watcher);
      expect(found).toEqual([]);
    },
  });
});

async function stepsOfExec(host: TestHost, id: string): Promise<string[]> {
  const { stderr } = await host.runtime.exec(id, ['/bin/true'], { under: listSteps() });
  return listedSteps(stderr);
}

/**
 * Directories that the caller of a system call has open, if it is in the namespace and not the program yet. Those on
 * mounts of the container are the container's own.
 */
async function directoriesAt(host: TestHost, id: string, pid: number, number: number): Promise<string[]> {
  const file = host.path(`fds-${number}`);
  const each = 'echo $(sed -n "s/mnt_id:.//p" /proc/$STEP_PID/fdinfo/$(basename $fd)) $(readlink $fd)';
  const list = `for fd in /proc/$STEP_PID/fd/*; do if [ -d $fd/ ]; then ${each}; fi; done >> ${file}`;
  const look = `readlink /proc/$STEP_PID/ns/mnt > ${file}; ${list}; true`;
  await host.runtime.exec(id, ['/bin/true'], { under: commandAt({ match: '.', number }, look) });
  const [where, ...directories] = readFileSync(file, { encoding: 'utf8', flag: 'a+' }).trim().split('\n');
  if (where !== readlinkSync(`/proc/${pid}/ns/mnt`)) return [];
  const own = mountIds(pid);
  return directories.filter((line) => !own.has(line.split(' ')[0] ?? ''));
}
