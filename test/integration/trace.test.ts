import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../runtime/plan.ts';
import type { TracedStep } from '../../runtime/trace.ts';
import type { Bundle } from '../support/bundle.ts';
import type { Config } from '../support/config.ts';
import { TestHost } from '../support/host.ts';

const readLines = (file: string): TracedStep[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TracedStep);

const ending = (config: Config): void => {
  config.process.args = ['/bin/true'];
};

/** The lines that a traced create writes, beside the plan that is printed for it. */
async function traceCreate(host: TestHost, bundle: Bundle): Promise<{ lines: TracedStep[]; plan: Plan }> {
  const [file, id] = [host.path('trace.json'), host.id()];
  const created = await host.runtime.create(id, bundle, { flags: ['--trace', file] });
  expect(created).toMatchObject({ status: 0, stderr: '' });
  const { stdout } = await host.runtime.call('plan', [bundle.directory], { flags: ['--json'] });
  return { lines: readLines(file), plan: JSON.parse(stdout.replace(/\bID\b/g, id)) as Plan };
}

describe('--trace', () => {
  it('names each step by its number and label in the plan', async () => {
    await using host = await TestHost.open('hull');
    const { lines, plan } = await traceCreate(host, host.bundle(ending));
    const known = new Map(plan.steps.map((step) => [step.number, step]));
    for (const { step, who, label } of lines) {
      if (step !== undefined) expect({ who, label }).toEqual({ who, label: known.get(step)?.label });
    }
    expect(lines.filter(({ step }) => step === undefined).map(({ label }) => label)).toEqual(
      expect.arrayContaining(['wait for the stage']),
    );
    const actions = plan.steps.filter(({ kind }) => kind === 'action').map(({ number }) => number);
    expect(lines.map(({ step }) => step)).toEqual(expect.arrayContaining(actions));
  });

  it('has every system call of the stage up to the gate, each in its time', async () => {
    await using host = await TestHost.open('hull');
    const { lines, plan } = await traceCreate(host, host.bundle(ending));
    const stage = lines.filter(({ who }) => who === 'stage');
    expect(stage.length).toBeGreaterThan(100);
    expect(stage.map(({ label }) => label)).toEqual(
      expect.arrayContaining(['become undumpable', 'mount "proc" at "/proc"', 'allow no new privileges']),
    );
    const gate = plan.steps.find(({ phase }) => phase === 'start')?.number ?? 0;
    expect(Math.max(...stage.map(({ step = 0 }) => step))).toBeLessThan(gate);
    const times = lines.map(({ at }) => at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    for (const { at, microseconds } of lines) {
      expect(microseconds).toBeGreaterThanOrEqual(0);
      expect(microseconds).toBeLessThanOrEqual(at);
    }
  });

  it('tells results as the kernel gave them, errors by name', async () => {
    await using host = await TestHost.open('hull');
    const bundle = host.bundle((config) => {
      ending(config);
      config.linux.maskedPaths.push('/nowhere');
    });
    const { lines } = await traceCreate(host, bundle);
    const resultOf = (label: string) => lines.find((line) => line.label === label)?.result;
    expect(resultOf('set the umask 022')).toBe(0);
    expect(resultOf('open "/nowhere" in the container')).toBe('ENOENT');
    const clones = lines.filter(({ label }) => label.startsWith('clone into new namespaces'));
    expect(clones.map(({ result }) => result === 0)).toEqual(expect.arrayContaining([true, false]));
  });

  it('of run goes on to the program', async () => {
    await using host = await TestHost.open('hull');
    const file = host.path('trace.json');
    const outcome = await host.runtime.run(host.id(), host.bundle(ending), { flags: ['--trace', file] });
    expect(outcome.status).toBe(0);
    expect(readLines(file).at(-1)?.label).toBe('close every other descriptor on execve');
  });

  it('of a creation that fails ends with the step that was refused', async () => {
    await using host = await TestHost.open('hull');
    const file = host.path('trace.json');
    const bundle = host.bundle((config) => {
      config.mounts.push({ destination: '/data', type: 'nosuchfs', source: 'none' });
    });
    const outcome = await host.runtime.create(host.id(), bundle, { flags: ['--trace', file] });
    expect(outcome.status).toBe(1);
    const last = readLines(file).findLast(({ who }) => who === 'stage');
    expect(last).toMatchObject({ label: 'make "nosuchfs" for "/data"', result: 'ENODEV' });
    expect(outcome.stderr).toContain('make "nosuchfs" for "/data": no such device');
  });

  it('to a file that cannot be written makes nothing', async () => {
    await using host = await TestHost.open('hull');
    const flags = ['--trace', host.path('missing/trace.json')];
    const id = host.id();
    const { status, stderr } = await host.runtime.create(id, host.bundle(ending), { flags });
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('cannot write the trace'),
    });
    expect(existsSync(host.path('state', id))).toBe(false);
  });
});
