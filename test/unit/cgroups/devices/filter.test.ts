import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { disassemble, encodeProgram } from '../../../../cgroups/devices/bpf.ts';
import { assembleDeviceFilter, planDevices } from '../../../../cgroups/devices/filter.ts';
import { planDevicePolicy } from '../../../../cgroups/devices/policy.ts';
import type { DeviceRule } from '../../../../spec/config/resources.ts';
import { runDeviceFilter } from '../../../support/bpf-interpreter.ts';
import { DeviceCgroupV1, type SimulatedRule } from '../../../support/device-cgroup-v1.ts';
import { request, simulatedRule } from '../../../support/device-rule-arbitrary.ts';

const DENY_ALL: DeviceRule = { allow: false, access: 'rwm' };
const ALLOW_ALL: DeviceRule = { allow: true, access: 'rwm' };

// biome-ignore format: a table
const GOLDENS: [name: string, rules: DeviceRule[]][] = [
  ['default',        [DENY_ALL]],
  ['everything',     [ALLOW_ALL]],
  ['all-but-a-disk', [ALLOW_ALL, { allow: false, type: 'b', major: 8, minor: 0, access: 'w' }, { allow: false, type: 'b', major: 9, access: 'rwm' }]],
  ['several',        [DENY_ALL, { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' }, { allow: true, type: 'b', minor: 7, access: 'r' }]],
];

describe('planDevices()', () => {
  for (const [name, rules] of GOLDENS) {
    it(`assembles "${name}" as the golden has it`, async () => {
      await expect(disassemble(planDevices(rules))).toMatchFileSnapshot(`golden/${name}.txt`);
    });
  }

  it('does not let a rule take the default devices away', () => {
    const program = encodeProgram(planDevices([DENY_ALL, { ...DENY_ALL, type: 'c', major: 1, minor: 3 }]));
    const nullDevice = { type: 'c', major: 1, minor: 3, access: 6 } as const;
    expect(runDeviceFilter(program, nullDevice)).toBe(true);
    expect(runDeviceFilter(program, { ...nullDevice, minor: 11 })).toBe(false);
  });

  it('leaves a device node that the config defines to its rules', () => {
    const nullDevice = { type: 'c', major: 1, minor: 3, access: 6 } as const;
    const program = encodeProgram(planDevices([DENY_ALL], new Set(['/dev/null'])));
    expect(runDeviceFilter(program, nullDevice)).toBe(false);
    expect(runDeviceFilter(program, { ...nullDevice, minor: 5 })).toBe(true);
  });
});

/** The rules up to the first that the planner refuses, and that one. */
function split(rules: readonly SimulatedRule[]): {
  taken: SimulatedRule[];
  refused: SimulatedRule | undefined;
} {
  for (const [index, rule] of rules.entries()) {
    try {
      planDevicePolicy(rules.slice(0, index + 1));
    } catch {
      return { taken: rules.slice(0, index), refused: rule };
    }
  }
  return { taken: [...rules], refused: undefined };
}

describe('assembleDeviceFilter()', () => {
  it('answers as the devices cgroup of v1 does', () => {
    const rules = fc.array(simulatedRule, { minLength: 1, maxLength: 10, size: 'max' });
    const requests = fc.array(request, { minLength: 20, maxLength: 20 });
    const answers = { exceptional: 0, all: 0 };
    fc.assert(
      fc.property(rules, requests, (all, asked) => {
        const { taken } = split(all);
        const simulated = new DeviceCgroupV1(taken);
        const policy = planDevicePolicy(taken);
        const program = encodeProgram(assembleDeviceFilter(policy));
        for (const one of asked) {
          const permitted = simulated.permits(one);
          answers.all += 1;
          if (permitted !== policy.allowsByDefault) answers.exceptional += 1;
          expect(runDeviceFilter(program, one)).toBe(permitted);
        }
      }),
      { numRuns: 2000 },
    );
    expect(answers.exceptional / answers.all).toBeGreaterThan(0.05);
  });

  it('refuses only rules that v1 would ignore in part', () => {
    let refusals = 0;
    fc.assert(
      fc.property(fc.array(simulatedRule, { maxLength: 12 }), (all) => {
        const { taken, refused } = split(all);
        if (refused?.match === undefined) return;
        refusals += 1;
        const simulated = new DeviceCgroupV1([...taken, refused]);
        const device = {
          type: refused.match.type,
          major: refused.match.major ?? 7,
          minor: refused.match.minor ?? 7,
        };
        const bits = [1, 2, 4].filter((bit) => (refused.access & bit) !== 0);
        const ignored = bits.filter((access) => simulated.permits({ ...device, access }) !== refused.allow);
        expect(ignored).not.toEqual([]);
      }),
      { numRuns: 2000 },
    );
    expect(refusals).toBeGreaterThan(100);
  });

  it('keeps within what one rule may cost', () => {
    const rules = Array.from({ length: 4096 }, (_, minor): SimulatedRule => {
      return { allow: true, match: { type: 'c', major: 60, minor }, access: 6 };
    });
    expect(assembleDeviceFilter(planDevicePolicy(rules)).length).toBeLessThan(4096 + 20);
  });
});
