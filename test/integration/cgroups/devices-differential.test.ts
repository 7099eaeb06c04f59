// The kernel as the judge: the simulator of v1's devices cgroup against the real one, and both against our program.
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attachDeviceFilter, replaceDeviceFilter } from '../../../cgroups/devices/attach.ts';
import { assembleDeviceFilter } from '../../../cgroups/devices/filter.ts';
import { planDevicePolicy } from '../../../cgroups/devices/policy.ts';
import { formatMatch } from '../../../cgroups/devices/rule.ts';
import { CgroupScratch, whyNoCgroups } from '../../support/cgroup-scratch.ts';
import { DeviceCgroupV1, type Request, type SimulatedRule } from '../../support/device-cgroup-v1.ts';
import { DEVICE_PROBE, DeviceNodes } from '../../support/device-probe.ts';
import { simulatedRule } from '../../support/device-rule-arbitrary.ts';

const reason = whyNoCgroups();
const V1_DEVICES = '/sys/fs/cgroup/devices';
const noV1 =
  reason ?? (existsSync(`${V1_DEVICES}/devices.allow`) ? undefined : 'needs a v1 devices hierarchy');

/** Numbers that are reserved for experiments: no driver has them, so that an open has no effect. */
const REQUESTS: readonly Request[] = (['c', 'b'] as const).flatMap((type) =>
  [60, 61].flatMap((major) =>
    [1, 2, 3].flatMap((minor) => [1, 2, 4, 6].map((access) => ({ type, major, minor, access }))),
  ),
);

const ROUNDS = 60;
const ruleLists = fc.array(simulatedRule, { minLength: 1, maxLength: 10, size: 'max' });

/** Only EPERM is the cgroup's word. */
const isPermitted = (answer: string): boolean => answer !== 'EPERM';

describe.skipIf(noV1 !== undefined)(`the simulated devices cgroup of v1 (${noV1 ?? 'as root'})`, () => {
  it('permits what the real one permits', async () => {
    await using scratch = new CgroupScratch();
    using nodes = new DeviceNodes();
    const directory = `${V1_DEVICES}/hull-test-${process.pid}`;
    mkdirSync(directory);
    const prober = scratch.startOutside(DEVICE_PROBE);
    try {
      writeFileSync(`${directory}/cgroup.procs`, `${prober.pid}`);
      const write = ({ allow, match, access }: SimulatedRule): void => {
        const line = match === undefined ? 'a' : formatMatch(match, access);
        writeFileSync(`${directory}/devices.${allow ? 'allow' : 'deny'}`, line);
      };
      const property = fc.asyncProperty(ruleLists, async (rules) => {
        write({ allow: false, match: undefined, access: 7 });
        for (const rule of rules) write(rule);
        const simulated = new DeviceCgroupV1(rules);
        const answers = await nodes.attempt(prober, REQUESTS);
        expect(answers.map(isPermitted)).toEqual(REQUESTS.map((one) => simulated.permits(one)));
      });
      await fc.assert(property, { numRuns: ROUNDS });
    } finally {
      process.kill(prober.pid, 'SIGKILL');
      await prober.ended;
      rmdirSync(directory);
    }
  });
});

describe.skipIf(reason !== undefined)(`a device filter in the kernel (${reason ?? 'as root'})`, () => {
  it('permits what the simulated devices cgroup of v1 permits', async () => {
    await using scratch = new CgroupScratch();
    using nodes = new DeviceNodes();
    using cgroup = scratch.create();
    const prober = await scratch.start(cgroup, DEVICE_PROBE);
    attachDeviceFilter(cgroup.fd, assembleDeviceFilter(planDevicePolicy([])));
    let judged = 0;
    const property = fc.asyncProperty(ruleLists, async (rules) => {
      const policy = planUnlessRefused(rules);
      if (policy === undefined) return;
      judged += 1;
      replaceDeviceFilter(cgroup.fd, assembleDeviceFilter(policy));
      const simulated = new DeviceCgroupV1(rules);
      const answers = await nodes.attempt(prober, REQUESTS);
      expect(answers.map(isPermitted)).toEqual(REQUESTS.map((one) => simulated.permits(one)));
    });
    await fc.assert(property, { numRuns: ROUNDS });
    expect(judged).toBeGreaterThan(ROUNDS / 4);
  });
});

function planUnlessRefused(rules: readonly SimulatedRule[]): ReturnType<typeof planDevicePolicy> | undefined {
  try {
    return planDevicePolicy(rules);
  } catch {
    return undefined;
  }
}
