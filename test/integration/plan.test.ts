import { spawnSync } from 'node:child_process';
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Plan, PlanStep } from '../../runtime/plan.ts';
import { rootlessConfig } from '../../spec/default-config.ts';
import type { Bundle } from '../support/bundle.ts';
import { type Child, until } from '../support/child.ts';
import { CHECKOUT, terminal } from '../support/compile.ts';
import { addNamespace, type Config, HOOK_STAGES } from '../support/config.ts';
import { TestHost } from '../support/host.ts';
import { walkHost, walkStage } from '../support/plan-walk.ts';
import { readTrace, straceTo, type TracedCall } from '../support/strace.ts';

/** The plan that is printed for the bundle, for a container of the name `id`. */
async function planFor(host: TestHost, bundle: Bundle, id: string, under: readonly string[]): Promise<Plan> {
  const { status, stdout, stderr } = await host.runtime.call('plan', [bundle.directory], {
    under,
    flags: ['--json'],
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.replace(/\bID\b/g, id)) as Plan;
}

interface Execution {
  readonly plan: Plan;
  readonly calls: readonly TracedCall[];
  readonly host: number;
  readonly stage: number;
}

/** Prints the plan, then has a container created and started under strace. */
async function execute(
  host: TestHost,
  bundle: Bundle,
  { under = [], flags = [] }: { readonly under?: readonly string[]; readonly flags?: readonly string[] } = {},
): Promise<Execution> {
  const id = host.id();
  const plan = await planFor(host, bundle, id, under);
  const file = host.path('trace');
  const created = await host.runtime.create(id, bundle, { under: [...straceTo(file), ...under], flags });
  expect(created).toMatchObject({ status: 0, stderr: '' });
  expect(await host.runtime.start(id, { under })).toMatchObject({ status: 0, stderr: '' });
  expect(await host.runtime.delete(id, { under, flags: ['--force'] })).toMatchObject({ status: 0 });
  const calls = await readTrace(host.scratch, file);
  const isStage = ({ name, arguments: [path = ''] }: TracedCall): boolean =>
    name === 'execve' && path.startsWith('"/proc/self/fd/');
  return { plan, calls, host: calls[0]?.pid ?? -1, stage: calls.find(isStage)?.pid ?? -1 };
}

const NOBODY = 65_534;
const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
const HULL = join(CHECKOUT, 'bin/hull');

const CONFIGURATIONS: readonly [name: string, change: (config: Config, host: TestHost) => void][] = [
  ['the base configuration', () => {}],
  ['a user namespace, a time namespace and limits', useNamespaces],
  ['hooks of every kind', useHooks],
  ['binds, devices, sysctls and a joined namespace', useTheRest],
];

function useNamespaces(config: Config): void {
  for (const type of ['user', 'time', 'cgroup']) addNamespace(config, { type });
  const mappings = [{ containerID: 0, hostID: 0, size: 65_536 }];
  config.linux.uidMappings = mappings;
  config.linux.gidMappings = mappings;
  config.linux.timeOffsets = { monotonic: { secs: 100 } };
}

function useHooks(config: Config): void {
  config.hooks = {};
  for (const stage of HOOK_STAGES) config.hooks[stage] = [{ path: '/bin/true', args: ['true'], timeout: 10 }];
}

function useTheRest(config: Config, host: TestHost): void {
  const volume = host.directory('volume');
  writeFileSync(`${volume}/file`, '');
  config.mounts.push(
    {
      destination: '/volume/new',
      type: 'bind',
      source: volume,
      options: ['rbind', 'ro', 'rnosuid', 'rslave'],
    },
    { destination: '/etc/new', type: 'bind', source: `${volume}/file`, options: ['bind', 'noexec'] },
  );
  config.root.readonly = false;
  config.linux.devices = [
    { path: '/dev/mine', type: 'c', major: 1, minor: 3, fileMode: 0o600, uid: 7, gid: 7 },
  ];
  addNamespace(config, { type: 'ipc', path: `/proc/${host.namespacePid}/ns/ipc` });
  config.linux.sysctl = { 'net.ipv4.ip_forward': '1', 'kernel.domainname': 'plan' };
  config.process.user = { uid: 1000, gid: 1000, additionalGids: [5, 6] };
  config.process.cwd = '/made/for/it';
  config.process.args = ['true'];
}

function bundleFor(host: TestHost, change: (config: Config, host: TestHost) => void): Bundle {
  return host.bundle((config) => {
    config.process.args = ['/bin/true'];
    change(config, host);
  });
}

describe('the printed plan', () => {
  for (const [name, change] of CONFIGURATIONS) {
    it(`is what create and start do, for ${name}`, async () => {
      await using host = await TestHost.open('hull');
      const { plan, calls, ...pids } = await execute(host, bundleFor(host, change));
      const { executed, comparedArguments } = walkStage(plan.steps, calls, pids.stage);
      const labels = plan.steps.filter(({ number }) => executed.has(number)).map(({ label }) => label);
      expect(labels.at(-1)).toMatch(/^exec /);
      expect(comparedArguments).toBeGreaterThan(executed.size);
      expect(walkHost(plan.steps, calls, pids.host).length).toBeGreaterThan(10);
    });
  }

  it('is what create does with a terminal', async () => {
    await using host = await TestHost.open('hull');
    const socket = host.path('console.sock');
    const receiver = await listen(host, socket);
    const bundle = bundleFor(host, (config) => {
      config.process.terminal = true;
      config.process.consoleSize = { height: 30, width: 90 };
    });
    const { plan, calls, ...pids } = await execute(host, bundle, { flags: ['--console-socket', socket] });
    walkStage(plan.steps, calls, pids.stage);
    walkHost(plan.steps, calls, pids.host);
    receiver.closeStdin();
  });

  it('is what create does for a user without privileges', async ({ skip }) => {
    const mayRead = spawnSync('setpriv', [...asNobody.slice(1), 'test', '-x', HULL]).status === 0;
    skip(!mayRead, 'needs a checkout that other users may read');
    await using host = await TestHost.open('hull');
    chownSync(host.directory('state', 0o700), NOBODY, NOBODY);
    const bundle = host.bundle();
    const config = rootlessConfig(NOBODY, NOBODY, { cgroupNamespace: false });
    bundle.writeConfig(JSON.stringify({ ...config, process: { ...config.process, terminal: false } }));
    const { plan, calls, ...pids } = await execute(host, bundle, { under: asNobody });
    walkStage(plan.steps, calls, pids.stage);
    walkHost(plan.steps, calls, pids.host);
    expect(plan.steps.map(({ label }) => label)).not.toContain('note which cgroup will be made');
  });

  it('would not pass for it with a call of the stage left out, or one more', async () => {
    await using host = await TestHost.open('hull');
    const { plan, calls, stage } = await execute(host, bundleFor(host, useTheRest));
    const walk =
      (steps: readonly PlanStep[], seen: readonly TracedCall[] = calls) =>
      () =>
        walkStage(steps, seen, stage);
    const { executed } = walk(plan.steps)();
    expect(executed.size).toBeGreaterThan(200);
    for (const number of executed) {
      expect(walk(plan.steps.map((step) => (step.number === number ? emptied(step) : step)))).toThrow();
    }
    const end = calls.findLastIndex(({ name }) => name === 'execve');
    const init = calls[end]?.pid ?? -1;
    const own = [...calls.keys()].filter((index) => index <= end && calls[index]?.pid === init);
    for (const at of own.filter((_, index) => index % 10 === 0)) {
      const more = {
        pid: init,
        name: 'getpid',
        arguments: [],
        result: 1,
        errno: undefined,
        child: undefined,
      };
      expect(walk(plan.steps, calls.toSpliced(at, 0, more))).toThrow('not in the plan: getpid()');
    }
  });

  it('would not pass for it with a path changed', async () => {
    await using host = await TestHost.open('hull');
    const { plan, calls, stage } = await execute(host, bundleFor(host, useTheRest));
    const { executed } = walkStage(plan.steps, calls, stage);
    const withPath = plan.steps.filter(
      ({ number, call }) => executed.has(number) && call?.arguments.path?.match(/^"./),
    );
    expect(withPath.length).toBeGreaterThan(50);
    for (const { number } of withPath) {
      const changed = plan.steps.map((step) => (step.number === number ? withOtherPath(step) : step));
      expect(() => walkStage(changed, calls, stage)).toThrow('not in the plan');
    }
  });

  it('would not pass for it with a call of the host left out or made too late', async () => {
    await using host = await TestHost.open('hull');
    const {
      plan,
      calls,
      host: main,
    } = await execute(
      host,
      bundleFor(host, () => {}),
    );
    for (const at of walkHost(plan.steps, calls, main)) {
      const name = calls[at]?.name ?? '';
      const less = calls.filter((call) => call.name !== name);
      expect(() => walkHost(plan.steps, less, main)).toThrow("not among the host's calls");
    }
    const [first = 0, second = 0] = walkHost(plan.steps, calls, main).slice(-2);
    const swapped = calls.with(first, calls[second] as TracedCall).with(second, calls[first] as TracedCall);
    expect(() => walkHost(plan.steps, swapped, main)).toThrow("not among the host's calls");
  });
});

/** A step that does nothing, in the place of one that makes a system call. */
const emptied = ({ number, who, phase, label }: PlanStep): PlanStep => ({
  number,
  who,
  phase,
  kind: 'set',
  label,
  text: 'nothing = 0',
});

const withOtherPath = (step: PlanStep): PlanStep => ({
  ...step,
  ...(step.call === undefined
    ? {}
    : { call: { ...step.call, arguments: { ...step.call.arguments, path: '"/elsewhere"' } } }),
});

async function listen(host: TestHost, socket: string): Promise<Child> {
  const receiver = host.spawn([terminal(), 'receive', socket], 'console', 'open');
  await until('the console socket', () => receiver.stderr().includes('listening'));
  return receiver;
}
