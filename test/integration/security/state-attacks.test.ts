/** CVE-2020-15257, CVE-2024-25621 and others: what a runtime keeps on the host. Cases S-01 to S-03. */

import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { expectRuns, itResists, printToken } from '../../support/attack.ts';
import { shareNamespace } from '../../support/config.ts';
import type { TestHost } from '../../support/host.ts';
import { createSleeping, startSleeping } from '../../support/running.ts';

const filesOf = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => path.join(directory, name));

describe('a container in the network of the host', () => {
  itResists('finds no abstract socket of the runtime', {
    attack: async (host) => {
      const before = abstractSockets();
      const id = await startSleeping(host, (config) => shareNamespace(config, 'network'));
      const { stdout } = await host.runtime.exec(id, ['/bin/cat', '/proc/net/unix']);
      const seen = stdout.split('\n').map((line) => line.split(/ +/)[7] ?? '');
      expect(seen.filter((name) => name.startsWith('@') && !before.has(name) && name.includes(id))).toEqual(
        [],
      );
      expect(seen.filter((name) => name.startsWith(host.runtime.root))).toEqual([]);
    },
  });
});

describe('the state', () => {
  // runc before 1.2 makes its root 0755 and a container's directory 0711.
  itResists('can be read by nobody else, whatever the umask', {
    knownBad: ['runc 1.1.5'],
    attack: async (host) => {
      const bundle = host.bundle((config) => {
        config.process.args = ['/bin/probe', 'sleep'];
      });
      const under = ['sh', '-c', 'umask 0; exec "$@"', 'sh'];
      expect((await host.runtime.create(host.id(), bundle, { under })).status).toBe(0);
      const open = [host.runtime.root, ...filesOf(host.runtime.root)].filter((file) => isOpen(file));
      // The container's own root opens the FIFO.
      expect(open.filter((file) => !file.endsWith('/exec.fifo'))).toEqual([]);
    },
  });

  itResists('is not kept in a root that somebody else owns', {
    knownBad: ['runc 1.1.5', 'crun 1.8.1'],
    attack: async (host) => {
      mkdirSync(host.runtime.root, { mode: 0o755 });
      chownSync(host.runtime.root, 1000, 1000);
      const outcome = await host.runtime.run(host.id(), host.bundle(printToken));
      expect(outcome.status).toBe(1);
      expect(outcome.stdout).toBe('');
    },
  });

  itResists('is not kept in a root that everybody may write', {
    knownBad: ['runc 1.1.5', 'crun 1.8.1'],
    attack: async (host) => {
      mkdirSync(host.runtime.root);
      chmodSync(host.runtime.root, 0o777);
      const outcome = await host.runtime.run(host.id(), host.bundle(printToken));
      expect(outcome.status).toBe(1);
    },
  });

  itResists('does not go through a link in the place of a container', {
    attack: async (host) => {
      host.expectDirty(); // the root of the states may have what the link says, beneath itself
      const id = host.id();
      mkdirSync(host.runtime.root, { mode: 0o700 });
      symlinkSync(host.canary, path.join(host.runtime.root, id));
      host.remember();
      await host.runtime.create(id, host.bundle());
      await host.runtime.delete(id, { flags: ['--force'] });
      expect((await host.differences()).filter((line) => !/^[-+] state root/.test(line))).toEqual([]);
    },
  });

  itResists('that is a FIFO hangs no command', {
    knownBad: ['runc 1.1.5', 'crun 1.8.1'],
    attack: async (host) => {
      const id = await createSleeping(host);
      const file = stateFile(host, id);
      renameSync(file, `${file}.kept`);
      host.inside('mkfifo', file);
      for (const command of ['state', 'start']) {
        expect((await host.runtime.call(command, [id], { deadlineMs: 5_000 })).status, command).toBe(1);
      }
      unlinkSync(file);
      renameSync(`${file}.kept`, file);
    },
  });

  itResists('of two creates with one name is that of one', {
    attack: async (host) => {
      const id = host.id();
      const bundles = [host.bundle(printToken), host.bundle(printToken), host.bundle(printToken)];
      const outcomes = await Promise.all(bundles.map((bundle) => host.runtime.create(id, bundle)));
      const winners = outcomes.filter(({ status }) => status === 0);
      expect(winners.length).toBeLessThanOrEqual(1);
      if (winners.length === 0) return; // they stood in each other's way, and say so
      const winner = bundles[outcomes.findIndex(({ status }) => status === 0)];
      expect(await host.runtime.state(id)).toMatchObject({ status: 'created', bundle: winner?.directory });
    },
    control: async (host) => {
      await expectRuns(host, host.bundle(printToken));
    },
  });
});

describe('a pid in the state that is another process', () => {
  for (const [command, operands] of [
    ['kill', ['KILL']],
    ['delete', []],
    ['exec', ['/bin/true']],
    ['pause', []],
  ] as const) {
    itResists(`is not touched by ${command}`, {
      // crun takes the number as it is.
      knownBad: command === 'kill' || command === 'exec' ? ['crun 1.8.1'] : [],
      attack: async (host) => {
        host.expectDirty(); // a container whose state was spoilt may leave its cgroup
        const id = await startSleeping(host);
        const { pid } = await host.runtime.state(id);
        const stranger = host.spawn(['sleep', '1000'], 'stranger');
        const file = stateFile(host, id);
        const original = readFileSync(file, 'utf8');
        writeFileSync(file, original.replaceAll(new RegExp(`\\b${pid}\\b`, 'g'), `${stranger.pid}`));
        await host.runtime.call(command, [id, ...operands], { deadlineMs: 10_000 });
        const alive = existsSync(`/proc/${stranger.pid}`) && !isZombie(stranger.pid);
        if (existsSync(path.dirname(file))) writeFileSync(file, original);
        stranger.signal('SIGKILL');
        await stranger.finished;
        process.kill(pid, 'SIGKILL');
        expect(alive, 'the stranger lives').toBe(true);
      },
    });
  }
});

/** Whether others than the owner may do anything with it; a link has no mode of its own. */
function isOpen(file: string): boolean {
  const stat = lstatSync(file);
  return !stat.isSymbolicLink() && (stat.mode & 0o077) !== 0;
}

function stateFile(host: TestHost, id: string): string {
  const directory = path.join(host.runtime.root, id);
  const name = ['state.json', 'status'].find((candidate) => existsSync(path.join(directory, candidate)));
  if (name === undefined)
    throw new Error(`cannot find the state of "${id}" in ${readdirSync(directory).join(' ')}`);
  return path.join(directory, name);
}

function abstractSockets(): Set<string> {
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return new Set(lines.map((line) => line.split(/ +/)[7] ?? ''));
}

function isZombie(pid: number): boolean {
  return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
