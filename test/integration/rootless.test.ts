import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../support/child.ts';
import { itExcept } from '../support/claim.ts';
import type { Config } from '../support/config.ts';
import { TestHost } from '../support/host.ts';
import {
  AS_USER,
  addOrdinaryUser,
  OWN_ID,
  OWN_ID_AND_RANGE,
  ordinaryBundle,
  SUBORDINATE,
  USER,
} from '../support/ordinary-user.ts';
import { parseReport } from '../support/probe-report.ts';
import { findRuntime, selectedRuntime } from '../support/runtime.ts';

const [enterUser = '', ...userFlags] = AS_USER.under ?? [];
const isReachable =
  spawnSync(enterUser, [...userFlags, findRuntime(selectedRuntime()).path, '--version']).status === 0;
const why = 'an ordinary user cannot get at the runtime, whose directory is private';

async function withUser(test: (host: TestHost) => Promise<void>): Promise<void> {
  await using host = await TestHost.open();
  addOrdinaryUser(host);
  await test(host);
}

/** A directory of the user's at /tmp, to see from outside who owns what is made in it. */
function bindVolume(host: TestHost, config: Config): string {
  const volume = host.directory('volume', 0o777);
  spawnSync('chmod', ['777', volume]);
  config.mounts.push({ destination: '/tmp', type: 'bind', source: volume, options: ['rbind'] });
  return path.join(volume, 'made');
}

const ownerOf = (file: string): number[] => [statSync(file).uid, statSync(file).gid];
const mapWords = (text: string): string[] => text.trim().split(/\s+/);

describe.skipIf(!isReachable)(`rootless${isReachable ? '' : ` (${why})`}`, () => {
  it('is the user as root, who has no other id and no groups to set', async () => {
    await withUser(async (host) => {
      let made = '';
      const bundle = ordinaryBundle(host, OWN_ID, (config) => {
        made = bindVolume(host, config);
        const script = 'id -u && id -g && echo > /tmp/made && cat /proc/self/setgroups /proc/self/uid_map';
        config.process.args = ['/bin/sh', '-c', script];
      });
      const { status, stdout, stderr } = await host.runtime.run(host.id(), bundle, AS_USER);
      expect(status, stderr).toBe(0);
      expect(mapWords(stdout)).toEqual(['0', '0', 'deny', '0', `${USER}`, '1']);
      expect(ownerOf(made)).toEqual([USER, USER]);
    });
  });

  it('has the ranges of /etc/subuid and /etc/subgid through newuidmap and newgidmap', async () => {
    await withUser(async (host) => {
      let made = '';
      const bundle = ordinaryBundle(host, OWN_ID_AND_RANGE, (config) => {
        made = bindVolume(host, config);
        config.process.user = { uid: 5, gid: 6 };
        const script = 'id -u && id -g && echo > /tmp/made && cat /proc/self/setgroups /proc/self/gid_map';
        config.process.args = ['/bin/sh', '-c', script];
      });
      const { status, stdout, stderr } = await host.runtime.run(host.id(), bundle, AS_USER);
      expect(status, stderr).toBe(0);
      const { first, count } = SUBORDINATE;
      expect(mapWords(stdout)).toEqual(['5', '6', 'allow', '0', `${USER}`, '1', '1', `${first}`, `${count}`]);
      expect(ownerOf(made)).toEqual([first + 4, first + 5]);
    });
  });

  // runc refuses them in every rootless container.
  itExcept('runc 1.1.5')('has additional groups, where they are mapped', async () => {
    await withUser(async (host) => {
      const bundle = ordinaryBundle(host, OWN_ID_AND_RANGE, (config) => {
        config.process.user = { uid: 5, gid: 6, additionalGids: [7, 8] };
      });
      const { stdout } = await host.runtime.run(host.id(), bundle, AS_USER);
      expect(parseReport(stdout).groups).toEqual([7, 8]);
    });
  });

  it('cannot take ids that are not given to the user, and leaves nothing', async () => {
    await withUser(async (host) => {
      const stolen = [...OWN_ID, { containerID: 1, hostID: SUBORDINATE.first - 1, size: 2 }];
      const bundle = ordinaryBundle(host, stolen, () => {});
      const { status, stderr } = await host.runtime.run(host.id(), bundle, AS_USER);
      expect(status).toBe(1);
      expect(stderr).toMatch(/new[ug]idmap/);
      expect(await host.differences()).toEqual([]);
    });
  });

  it('has the root, devices, masks and names of any container', async () => {
    await withUser(async (host) => {
      const bundle = ordinaryBundle(host, OWN_ID, (config) => {
        config.hostname = 'ordinary';
      });
      const { stdout, stderr } = await host.runtime.run(host.id(), bundle, AS_USER);
      expect(stderr).toBe('');
      const report = parseReport(stdout);
      expect(report).toMatchObject({ pid: 1, hostname: 'ordinary', noNewPrivileges: true });
      expect(report.root.write).toBe('EROFS');
      expect(report.devices.null).toMatchObject({ type: 'character', device: '1:3' });
      expect(report.paths['/dev/null']).toMatchObject({ read: 'ok', write: 'ok' });
      expect(report.paths['/proc/keys']).toMatchObject({ device: '1:3', empty: true });
      expect(report.paths['/proc/sys/kernel/core_pattern']?.write).not.toBe('ok');
    });
  });

  it('is created, started, entered, killed and deleted by the user', async () => {
    await withUser(async (host) => {
      const id = host.id();
      const bundle = ordinaryBundle(host, OWN_ID, (config) => {
        config.process.args = ['/bin/probe', 'sleep'];
      });
      const { runtime } = host;
      const call = async (command: string, operands: string[], flags: string[] = []): Promise<string> => {
        const { status, stdout, stderr } = await runtime.call(command, operands, { ...AS_USER, flags });
        expect(status, `${command}: ${stderr}`).toBe(0);
        return stdout;
      };
      await call('create', [id], ['--bundle', bundle.directory]);
      await call('start', [id]);
      expect(mapWords(await call('exec', [id, '/bin/cat', '/proc/self/uid_map']))).toEqual([
        '0',
        `${USER}`,
        '1',
      ]);
      await call('kill', [id, 'KILL']);
      const isStopped = async (): Promise<boolean> => (await call('state', [id])).includes('"stopped"');
      await until('the container to be stopped', isStopped);
      await call('delete', [id]);
      expect(await host.differences()).toEqual([]);
    });
  });
});
