/** CVE-2025-23266: hooks with the image's environment in the image's directory. Case C-03. */

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { itResists } from '../../support/attack.ts';
import { until } from '../../support/child.ts';
import type { HookStage } from '../../support/config.ts';
import type { TestHost } from '../../support/host.ts';

// By their paths: where a hook has no environment, it has no PATH.
const SCRIPT = '/usr/bin/env > $0.env; pwd > $0.pwd; /bin/ls /proc/self/fd > $0.fds';
const OUTSIDE_STAGES: readonly HookStage[] = [
  'prestart',
  'createRuntime',
  'createContainer',
  'poststart',
  'poststop',
];

interface Seen {
  readonly env: readonly string[];
  readonly cwd: string;
  readonly fds: readonly string[];
}

/** Runs a container with one hook, and reads what that saw. The caller and the image both have things to hide. */
async function whatHookSees(
  host: TestHost,
  stage: HookStage,
  hookEnv?: string[],
): Promise<Seen & { rootfs: string }> {
  const file = host.path('hook');
  const hook = { path: '/bin/sh', args: ['sh', '-c', SCRIPT, file], ...(hookEnv && { env: hookEnv }) };
  const bundle = host.bundle((config) => {
    config.hooks = { [stage]: [hook] };
    config.process.env.push('IMAGE_MARK=1', 'LD_AUDIT=./evil.so');
    config.process.args = ['/bin/true'];
  });
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', CALLER_SECRET: '1' };
  const outcome = await host.runtime.run(host.id(), bundle, { env });
  expect(outcome.status).toBe(0);
  await until('the hook', () => existsSync(`${file}.fds`));
  const read = (name: string): string[] => readFileSync(`${file}.${name}`, 'utf8').trim().split('\n');
  return { env: read('env'), cwd: read('pwd')[0] ?? '', fds: read('fds'), rootfs: bundle.rootfs };
}

/** The names of variables, without those that sh itself sets, and the PATH that a runtime may give. */
const own = (env: readonly string[]): string[] =>
  env.map((entry) => entry.replace(/=.*/s, '')).filter((name) => !/^(PWD|OLDPWD|SHLVL|_|PATH|)$/.test(name));

describe('hooks', () => {
  for (const stage of OUTSIDE_STAGES) {
    itResists(`of ${stage} see neither the image's environment nor the caller's`, {
      knownBad: ['runc 1.1.5', 'crun 1.8.1'],
      control: async (host) => {
        expect(own((await whatHookSees(host, stage, ['OWN=1'])).env)).toEqual(['OWN']);
      },
      attack: async (host) => {
        expect(own((await whatHookSees(host, stage)).env)).toEqual([]);
      },
    });

    itResists(`of ${stage} do not start in the image, nor with its descriptors`, {
      // runc's createContainer hooks start in the root of the image.
      knownBad: stage === 'createContainer' ? ['runc 1.1.5'] : [],
      attack: async (host) => {
        const { cwd, fds, rootfs } = await whatHookSees(host, stage);
        expect(cwd.startsWith(rootfs)).toBe(false);
        // ls has one more for the directory that it lists.
        expect(fds.filter((fd) => Number(fd) > 3)).toEqual([]);
      },
    });
  }

  itResists('that time out take what they have started with them', {
    attack: async (host) => {
      const script = `sleep 1000 & echo $! > ${host.path('pid')}; wait`;
      const bundle = host.bundle((config) => {
        config.hooks = {
          createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', script, host.scratch], timeout: 1 }],
        };
      });
      expect((await host.runtime.run(host.id(), bundle)).status).toBe(1);
      const pid = readFileSync(host.path('pid'), 'utf8').trim();
      await until('the grandchild to be gone', () => !existsSync(`/proc/${pid}`) || isZombie(pid), 3000);
    },
    knownBad: ['runc 1.1.5', 'crun 1.8.1'],
  });
});

function isZombie(pid: string): boolean {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
}
