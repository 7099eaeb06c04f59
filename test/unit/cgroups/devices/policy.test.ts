import { describe, expect, it } from 'vitest';
import { allowsEverything, type DevicePolicy, planDevicePolicy } from '../../../../cgroups/devices/policy.ts';
import { formatMatch, parseDeviceRules } from '../../../../cgroups/devices/rule.ts';
import type { DeviceRuleType } from '../../../../spec/config/resources.ts';

/** `+c 1:3 rw` allows, `-a` denies. */
function policyOf(...rules: string[]): DevicePolicy {
  const number = (text: string | undefined): number => (text === '*' ? -1 : Number(text));
  const parsed = rules.map((rule) => {
    const [type, device = '*:*', access = 'rwm'] = rule.slice(1).split(' ');
    const [major, minor] = device.split(':').map(number);
    return {
      allow: rule.startsWith('+'),
      type: type as DeviceRuleType,
      major: major ?? -1,
      minor: minor ?? -1,
      access,
    };
  });
  return planDevicePolicy(parseDeviceRules(parsed));
}

function textOf({ allowsByDefault, exceptions }: DevicePolicy): string {
  const parts = exceptions.map((one) => formatMatch(one, one.access));
  return [allowsByDefault ? 'all but' : 'none but', ...parts].join(', ');
}

// biome-ignore format: a table
const CASES: [rules: string[], expected: string][] = [
  [[],                                           'none but'],
  [['-a'],                                       'none but'],
  [['+a'],                                       'all but'],
  [['-a', '+c 1:3 rw', '+c 1:3 m'],              'none but, c 1:3 rwm'],        // merged
  [['-a', '+c 1:3 rwm', '-c 1:3 w'],             'none but, c 1:3 rm'],         // taken back in part
  [['-a', '+c 1:3 rwm', '-c 1:3 rwm'],           'none but'],
  [['-c 1:3 w', '+c 1:3 rwm'],                   'none but, c 1:3 rwm'],        // order matters
  [['+a', '-b 8:0 rw'],                          'all but, b 8:0 rw'],
  [['+a', '-b 8:0 rw', '+b 8:0 w'],              'all but, b 8:0 r'],
  [['+c 1:3 rw', '+a', '-b 8:* w'],              'all but, b 8:* w'],           // "a" forgets all before it
  [['+a', '-b 8:0 rw', '-a', '+c 1:5 r'],        'none but, c 1:5 r'],
  [['+b 8:0 r', '+c 10:1 r', '+c 2:9 r'],        'none but, c 2:9 r, c 10:1 r, b 8:0 r'],
  [['+c 1:3 rw', '+c 1:* rwm'],                  'none but, c 1:* rwm'],        // superfluous
  [['+c 1:3 rwm', '+c *:3 rwm', '+c *:* r'],     'none but, c *:* r, c *:3 rwm'],
  [['+c 1:3 rw', '+c *:* m'],                    'none but, c *:* m, c 1:3 rw'],
  [['+c 1:3 rw', '+b 1:* rwm'],                  'none but, c 1:3 rw, b 1:* rwm'],
  [['-a', '+c *:* rwm', '-c *:* m'],             'none but, c *:* rw'],         // the same wildcards: no hole
  [['-a', '+c *:* m', '-c 1:3 rw'],              'none but, c *:* m'],          // nothing in common
];

// biome-ignore format: a table
const HOLES: [rules: string[], text: string][] = [
  [['+c *:* rwm', '-c 1:3 w'],       "unable to remove 'allow' exception: requested rule [c 1:3 w] not supported by devices cgroupv1 (cannot punch hole in existing wildcard rule [c *:* rwm])"],
  [['+c 1:* rm', '-c 1:3 rwm'],      "unable to remove 'allow' exception: requested rule [c 1:3 rwm] not supported by devices cgroupv1 (cannot punch hole in existing wildcard rule [c 1:* rm])"],
  [['+c *:3 rm', '-c 1:3 m'],        "unable to remove 'allow' exception: requested rule [c 1:3 m] not supported by devices cgroupv1 (cannot punch hole in existing wildcard rule [c *:3 rm])"],
  [['+a', '-b *:* w', '+b 8:* rw'],  "unable to remove 'deny' exception: requested rule [b 8:* rw] not supported by devices cgroupv1 (cannot punch hole in existing wildcard rule [b *:* w])"],
];

describe('planDevicePolicy()', () => {
  for (const [rules, expected] of CASES) {
    it(`reads ${rules.join('; ') || 'no rules'} as ${expected}`, () => {
      expect(textOf(policyOf(...rules))).toBe(expected);
    });
  }

  for (const [rules, text] of HOLES) {
    it(`refuses the hole in ${rules.join('; ')}`, () => {
      expect(() => policyOf(...rules)).toThrow(text);
      expect(() => policyOf(...rules.slice(0, -1))).not.toThrow();
    });
  }
});

describe('allowsEverything()', () => {
  it('is true without exceptions to a default of allowing', () => {
    expect(allowsEverything(policyOf('+a'))).toBe(true);
    expect(allowsEverything(policyOf('+a', '-c 1:1 r'))).toBe(false);
    expect(allowsEverything(policyOf())).toBe(false);
  });
});
