/** CVE-2025-31133, CVE-2025-52565, CVE-2026-41579: a /dev of the image's making. Cases M-02, M-05 and M-06. */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { itResists, printToken } from '../../support/attack.ts';
import { until } from '../../support/child.ts';
import { terminal } from '../../support/compile.ts';
import type { Config, Mount } from '../../support/config.ts';
import type { TestHost } from '../../support/host.ts';

const SECRET = 'secret-5d2f';

const withoutDev = (config: Config): void => {
  config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith('/dev'));
};

/** A directory of the host with the nodes that a program needs, for a bind on /dev. */
function makeDev(host: TestHost): string {
  const directory = host.directory('dev-of-image');
  const node = (name: string, minor: number): void => {
    execFileSync('mknod', ['-m', '666', path.join(directory, name), 'c', '1', `${minor}`]);
  };
  node('null', 3);
  node('zero', 5);
  mkdirSync(path.join(directory, 'pts'));
  symlinkSync('pts/ptmx', path.join(directory, 'ptmx'));
  return directory;
}

function bindDev(source: string): (config: Config) => void {
  return (config) => {
    const isDevice = ({ destination }: Mount): boolean => destination === '/dev';
    config.mounts = config.mounts.filter(({ destination }) => !/^\/dev\/(shm|mqueue)$/.test(destination));
    config.mounts[config.mounts.findIndex(isDevice)] = {
      destination: '/dev',
      type: 'bind',
      source,
      options: ['rbind', 'rw'],
    };
  };
}

describe('a /dev that the image has as a link', () => {
  for (const [what, target] of [
    ['an absolute one', (host: TestHost) => `${host.canary}/dev`],
    ['a relative one', (host: TestHost) => `../../../../../..${host.canary}/dev`],
  ] as const) {
    itResists(`to a directory of the host, ${what}, is not followed`, {
      knownBad: ['runc 1.1.5', 'crun 1.8.1'],
      attack: async (host) => {
        mkdirSync(`${host.canary}/dev`);
        writeFileSync(`${host.canary}/dev/ptmx`, 'kept');
        host.remember();
        const bundle = host.bundle((config) => {
          printToken(config);
          withoutDev(config);
          config.root.readonly = false;
        });
        rmdirSync(bundle.inside('dev'));
        symlinkSync(target(host), bundle.inside('dev'));
        await host.runtime.run(host.id(), bundle);
        expect(await host.differences()).toEqual([]);
      },
    });
  }

  for (const name of ['pts', 'shm', 'mqueue', 'ptmx', 'null', 'fd']) {
    itResists(`in its ${name} is not followed`, {
      attack: async (host) => {
        const bundle = host.bundle((config) => {
          printToken(config);
          withoutDev(config);
          config.root.readonly = false;
          const devpts = { destination: '/dev/pts', type: 'devpts', source: 'devpts' };
          config.mounts.push({ ...devpts, options: ['newinstance', 'ptmxmode=0666', 'mode=0620'] });
        });
        symlinkSync(host.canary, bundle.inside('dev', name));
        await host.runtime.run(host.id(), bundle);
        expect(await host.differences()).toEqual([]);
      },
    });
  }
});

// biome-ignore format: a table
const FALSE_NULLS: readonly [what: string, replace: (at: string, volume: string) => void, knownBad: string[]][] = [
  ['a link to another file', (at) => { symlinkSync('/volume/victim', at); },               ['runc 1.1.5']],
  ['a regular file',         (at) => { writeFileSync(at, 'not empty\n', { mode: 0o666 }); }, ['runc 1.1.5']],
  ['missing',                () => {},                                                     []],
  ['another device',         (at) => { execFileSync('mknod', ['-m', '666', at, 'c', '1', '5']); }, ['runc 1.1.5']],
  ['a FIFO',                 (at) => { execFileSync('mkfifo', ['-m', '666', at]); },        ['runc 1.1.5']],
  ['a directory',            (at) => { mkdirSync(at); },                                   []],
];

describe('a masked path', () => {
  for (const [what, replace, knownBad] of FALSE_NULLS) {
    itResists(`stays hidden where the image's /dev/null is ${what}`, {
      knownBad,
      attack: async (host) => {
        const dev = makeDev(host);
        const volume = host.directory('volume', 0o777);
        writeFileSync(path.join(volume, 'victim'), 'victim\n');
        chmodSync(path.join(volume, 'victim'), 0o666);
        unlinkSync(path.join(dev, 'null'));
        replace(path.join(dev, 'null'), volume);
        const bundle = host.bundle((config) => {
          bindDev(dev)(config);
          config.mounts.push({
            destination: '/volume',
            type: 'bind',
            source: volume,
            options: ['bind', 'rw'],
          });
          config.linux.maskedPaths = ['/secret'];
          config.root.readonly = false;
          config.process.user = { uid: 0, gid: 0 };
          config.process.args = ['/bin/probe', 'report', 'path=/secret'];
        });
        writeFileSync(bundle.inside('secret'), SECRET);
        const outcome = await host.runtime.run(host.id(), bundle, { deadlineMs: 5000 });
        // Refused, or hidden behind what is really /dev/null.
        if (outcome.status === 0) {
          const { paths } = JSON.parse(outcome.stdout) as {
            paths: Record<string, { device?: string; empty?: boolean }>;
          };
          expect(paths['/secret']).toMatchObject({ type: 'character', device: '1:3', empty: true });
        }
        const { uid, gid, mode } = statSync(path.join(volume, 'victim'));
        expect([readFileSync(path.join(volume, 'victim'), 'utf8'), uid, gid, mode & 0o777]).toEqual([
          'victim\n',
          0,
          0,
          0o666,
        ]);
        expect(readFileSync(bundle.inside('secret'), 'utf8')).toBe(SECRET);
      },
    });
  }
});

async function runOnConsole(host: TestHost, dev: string, volume: string): Promise<void> {
  const socket = host.path('console.sock');
  const receiver = host.spawn([terminal(), 'receive', socket], 'console', 'open');
  await until('the console socket', () => receiver.stderr().includes('listening'));
  const bundle = host.bundle((config) => {
    bindDev(dev)(config);
    config.mounts.push({ destination: '/volume', type: 'bind', source: volume, options: ['bind', 'rw'] });
    config.process.terminal = true;
    config.process.args = ['/bin/true'];
    config.root.readonly = false;
  });
  await host.runtime.run(host.id(), bundle, {
    flags: ['--detach', '--console-socket', socket],
    deadlineMs: 8000,
  });
}

describe('the console', () => {
  itResists("does not go through a link that the image's /dev has for it", {
    knownBad: ['runc 1.1.5'],
    attack: async (host) => {
      const dev = makeDev(host);
      const volume = host.directory('volume', 0o777);
      writeFileSync(path.join(volume, 'victim'), 'victim\n');
      symlinkSync('/volume/victim', path.join(dev, 'console'));
      await runOnConsole(host, dev, volume);
      expect(readFileSync(path.join(volume, 'victim'), 'utf8')).toBe('victim\n');
    },
  });

  itResists("does not trust a ptmx of the image's", {
    attack: async (host) => {
      const dev = makeDev(host);
      const volume = host.directory('volume', 0o777);
      unlinkSync(path.join(dev, 'ptmx'));
      writeFileSync(path.join(dev, 'ptmx'), 'a file\n');
      symlinkSync('/volume', path.join(dev, 'pts/0'));
      await runOnConsole(host, dev, volume);
      expect(readFileSync(path.join(dev, 'ptmx'), 'utf8')).toBe('a file\n');
    },
  });
});
