import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { until } from '../support/child.ts';
import { itExcept } from '../support/claim.ts';
import { type Config, HOOK_STAGES, type HookStage } from '../support/config.ts';
import { TestHost } from '../support/host.ts';
import { createSleeping, untilStatus } from '../support/running.ts';
import type { State } from '../support/runtime.ts';

/** A hook that runs a shell line of the host. startContainer's are looked up in the container, which has sh too. */
function addHook(
  config: Config,
  stage: HookStage,
  line: string,
  env: string[] = ['PATH=/bin:/usr/bin'],
): void {
  config.hooks ??= {};
  config.hooks[stage] ??= [];
  config.hooks[stage].push({ path: '/bin/sh', args: ['sh', '-c', line], env });
}

/** Has each stage append its name, and its state, to files of a directory that the container sees as well. */
function recordStages(host: TestHost, config: Config, stages: readonly HookStage[]): string {
  const directory = host.directory('record');
  config.mounts.push({ destination: '/record', type: 'bind', source: directory, options: ['bind'] });
  for (const stage of stages) {
    const where = stage === 'startContainer' ? '/record' : directory;
    addHook(
      config,
      stage,
      `cat > ${where}/${stage}.json; readlink /proc/self/ns/mnt > ${where}/${stage}.mnt; echo ${stage} >> ${where}/order`,
    );
  }
  return directory;
}

const readState = (directory: string, stage: HookStage): State =>
  JSON.parse(readFileSync(`${directory}/${stage}.json`, 'utf8')) as State;

describe('hooks', () => {
  // runc up to 1.5 runs poststart when create ends, so that its state is "created".
  itExcept('runc 1.1.5')('run in the order of the specification', async () => {
    await using host = await TestHost.open();
    let directory = '';
    const id = host.id();
    const bundle = host.bundle((config) => {
      directory = recordStages(host, config, HOOK_STAGES);
      config.process.args = ['/bin/probe', 'sleep'];
    });
    const order = (): string[] => readFileSync(`${directory}/order`, 'utf8').trim().split('\n');
    expect((await host.runtime.create(id, bundle)).status).toBe(0);
    expect(order()).toEqual(HOOK_STAGES.slice(0, 3));
    expect((await host.runtime.start(id)).status).toBe(0);
    expect(order()).toEqual(HOOK_STAGES.slice(0, 5));
    await host.runtime.kill(id, 'KILL');
    await untilStatus(host, id, 'stopped');
    expect((await host.runtime.delete(id)).status).toBe(0);
    expect(order()).toEqual(HOOK_STAGES);
  });

  it('get the state of the container on standard input', async () => {
    await using host = await TestHost.open();
    let directory = '';
    const id = host.id();
    const bundle = host.bundle((config) => {
      directory = recordStages(host, config, HOOK_STAGES);
      config.annotations = { 'org.example.key': 'value' };
      config.process.args = ['/bin/probe', 'sleep'];
    });
    await host.runtime.create(id, bundle);
    const { pid } = await host.runtime.state(id);
    await host.runtime.start(id);
    for (const stage of HOOK_STAGES.slice(0, 5)) {
      const state = readState(directory, stage);
      expect(state, stage).toMatchObject({
        id,
        bundle: bundle.directory,
        annotations: { 'org.example.key': 'value' },
      });
      expect(state.ociVersion, stage).toMatch(/^1\.\d+\.\d+/);
    }
    for (const stage of ['prestart', 'createRuntime', 'poststart'] as const) {
      expect(readState(directory, stage).pid, stage).toBe(pid);
    }
    expect(readState(directory, 'createRuntime').status).toBe('creating');
    await host.runtime.delete(id, { flags: ['--force'] });
    expect(readState(directory, 'poststop').status).toBe('stopped');
  });

  itExcept('runc 1.1.5')('of poststart see a container that runs', async () => {
    await using host = await TestHost.open();
    let directory = '';
    const id = await createSleeping(host, (config) => {
      directory = recordStages(host, config, ['poststart']);
    });
    await host.runtime.start(id);
    expect(readState(directory, 'poststart').status).toBe('running');
  });

  it('inside the container get the pid as it is there', async () => {
    await using host = await TestHost.open();
    let directory = '';
    const id = await createSleeping(host, (config) => {
      directory = recordStages(host, config, ['createContainer', 'startContainer']);
    });
    await host.runtime.start(id);
    expect(readState(directory, 'createContainer')).toMatchObject({ pid: 1, status: 'creating' });
    expect(readState(directory, 'startContainer')).toMatchObject({ pid: 1, status: 'created' });
  });

  it('run in the mount namespace that the specification says', async () => {
    await using host = await TestHost.open();
    let directory = '';
    const id = await createSleeping(host, (config) => {
      directory = recordStages(host, config, HOOK_STAGES);
    });
    await host.runtime.start(id);
    const { pid } = await host.runtime.state(id);
    const inside = readlinkSync(`/proc/${pid}/ns/mnt`);
    const outside = readlinkSync(`/proc/${host.namespacePid}/ns/mnt`);
    const seen = (stage: HookStage): string => readFileSync(`${directory}/${stage}.mnt`, 'utf8').trim();
    for (const stage of ['prestart', 'createRuntime', 'poststart'] as const)
      expect(seen(stage), stage).toBe(outside);
    for (const stage of ['createContainer', 'startContainer'] as const)
      expect(seen(stage), stage).toBe(inside);
  });

  it("see in createContainer the host's files still, in startContainer the container's", async () => {
    await using host = await TestHost.open();
    const mark = host.path('canary-file');
    let directory = '';
    const id = await createSleeping(host, (config) => {
      directory = recordStages(host, config, []);
      addHook(config, 'createContainer', `ls ${host.scratch} > ${directory}/create; echo > ${mark}`);
      addHook(config, 'startContainer', 'ls / > /record/start; hostname >> /record/start');
    });
    await host.runtime.start(id);
    expect(readFileSync(`${directory}/create`, 'utf8')).toContain('bundle-0');
    expect(readFileSync(`${directory}/start`, 'utf8')).toMatch(/record\n.*runc\n$/s);
    expect(existsSync(mark)).toBe(true);
  });

  it('get the arguments and environment of the configuration', async () => {
    await using host = await TestHost.open();
    const file = host.path('seen');
    const bundle = host.bundle((config) => {
      const args = ['zeroth', '-c', `echo "$0 $1 $A" > ${file}`, 'first', 'two words'];
      config.hooks = { createRuntime: [{ path: '/bin/sh', args, env: ['A=b c'] }] };
    });
    expect((await host.runtime.run(host.id(), bundle)).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('first two words b c\n');
  });

  it('of one stage run one after the other, and the first to fail is the last', async () => {
    await using host = await TestHost.open();
    const file = host.path('order');
    const bundle = host.bundle((config) => {
      addHook(config, 'createRuntime', `echo 1 >> ${file}`);
      addHook(config, 'createRuntime', `echo 2 >> ${file}; exit 3`);
      addHook(config, 'createRuntime', `echo 3 >> ${file}`);
    });
    const { status, stderr } = await host.runtime.run(host.id(), bundle);
    expect(status).toBe(1);
    expect(stderr).toMatch(/error running (createRuntime )?hook #1: .*exit status 3/);
    expect(readFileSync(file, 'utf8')).toBe('1\n2\n');
  });

  it('that fail say what they printed', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) =>
      addHook(config, 'prestart', 'echo to-out; echo to-err >&2; exit 1'),
    );
    const { stderr } = await host.runtime.run(host.id(), bundle);
    expect(stderr).toMatch(/exit status 1, stdout: to-out.*, stderr: to-err/);
  });

  for (const stage of ['prestart', 'createRuntime', 'createContainer'] as const) {
    it(`of ${stage} that fail make create fail, with nothing left`, async () => {
      await using host = await TestHost.open();
      const bundle = host.bundle((config) => addHook(config, stage, 'exit 1'));
      expect((await host.runtime.create(host.id(), bundle)).status).toBe(1);
      expect(await host.differences()).toEqual([]);
    });

    // The specification: "the container MUST be destroyed and the remaining lifecycle steps run", poststop with them.
    it(`of poststop run after a failed ${stage}`, async () => {
      await using host = await TestHost.open();
      const file = host.path('poststop');
      const bundle = host.bundle((config) => {
        addHook(config, stage, 'exit 1');
        addHook(config, 'poststop', `echo ran > ${file}`);
      });
      expect((await host.runtime.create(host.id(), bundle)).status).toBe(1);
      expect(existsSync(file)).toBe(true);
    });
  }

  it('of startContainer that fail stop the container', async () => {
    await using host = await TestHost.open();
    const id = await createSleeping(host, (config) => addHook(config, 'startContainer', 'exit 1'));
    await host.runtime.start(id);
    await untilGone(host, id);
  });

  itExcept('runc 1.1.5')('of poststart that fail make start fail, and the container stop', async () => {
    await using host = await TestHost.open();
    const id = await createSleeping(host, (config) => addHook(config, 'poststart', 'exit 1'));
    expect((await host.runtime.start(id)).status).toBe(1);
    await untilGone(host, id);
  });

  // "MUST log a warning, but … continue with the remaining hooks".
  it('of poststop that fail stop neither the others nor delete', async () => {
    await using host = await TestHost.open();
    const file = host.path('second');
    const id = await createSleeping(host, (config) => {
      addHook(config, 'poststop', 'exit 1');
      addHook(config, 'poststop', `echo > ${file}`);
    });
    await host.runtime.delete(id, { flags: ['--force'] });
    expect((await host.runtime.call('state', [id])).status).toBe(1);
  });

  it('are killed when they run past their timeout', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.hooks = { createRuntime: [{ path: '/bin/sleep', args: ['sleep', '1000'], timeout: 1 }] };
    });
    const { status, stderr, ms } = await host.runtime.run(host.id(), bundle);
    expect(status).toBe(1);
    expect(stderr).toMatch(/hook ran past specified timeout of 1(\.0)?s/);
    expect(ms).toBeLessThan(5000);
    expect(await host.differences()).toEqual([]);
  });

  // prestart is deprecated in favour of createRuntime, above; poststop may fail, and delete goes on.
  for (const stage of ['createContainer', 'startContainer', 'poststart', 'poststop'] as const) {
    it(`of ${stage} are killed, too`, async () => {
      await using host = await TestHost.open();
      const id = host.id();
      const bundle = host.bundle((config) => {
        const path = stage === 'startContainer' ? '/bin/busybox' : '/bin/sleep';
        config.hooks = { [stage]: [{ path, args: ['sleep', '1000'], timeout: 1 }] };
        config.process.args = ['/bin/true'];
      });
      const { ms } = await host.runtime.run(id, bundle);
      expect(ms).toBeGreaterThan(950);
      expect(ms).toBeLessThan(5000);
      if ((await host.runtime.call('state', [id])).status === 0) {
        await host.runtime.delete(id, { flags: ['--force'] });
      }
      expect(await host.differences()).toEqual([]);
    });
  }

  // The specification: "path … MUST be absolute", "timeout … MUST be greater than zero".
  for (const [what, hook] of [
    ['a relative path', { path: 'bin/true' }],
    ['a timeout of zero', { path: '/bin/true', timeout: 0 }],
    ['a negative timeout', { path: '/bin/true', timeout: -1 }],
  ] as const) {
    it(`with ${what} are refused`, async () => {
      await using host = await TestHost.open();
      const bundle = host.bundle((config) => {
        config.hooks = { createRuntime: [hook] };
      });
      expect((await host.runtime.run(host.id(), bundle)).status).toBe(1);
      expect(await host.differences()).toEqual([]);
    });
  }
});

async function untilGone(host: TestHost, id: string): Promise<void> {
  await until('the container to have stopped', async () => {
    const { status, stdout } = await host.runtime.call('state', [id]);
    return status !== 0 || (JSON.parse(stdout) as State).status === 'stopped';
  });
}
