import { describe, expect, it } from 'vitest';
import { defaultDeviceRules, formatMatch, parseDeviceRules } from '../../../../cgroups/devices/rule.ts';
import type { DeviceRule } from '../../../../spec/config/resources.ts';

// biome-ignore format: a table
const REFUSED: [rule: Partial<Record<keyof DeviceRule, unknown>>, text: string][] = [
  [{ access: '' },                                   'device access at 0 field cannot be empty'],
  [{ access: 'rx' },                                 'invalid device access "rx" at 0'],
  [{ access: 'R' },                                  'invalid device access "R" at 0'],
  [{ access: 'rwm', type: 'p' },                     'invalid cgroup device type "p"'],
  [{ access: 'rwm', type: 'u' },                     'invalid cgroup device type "u"'],
  [{ access: 'rwm', type: 'c', major: -2 },          'invalid device major -2 at 0'],
  [{ access: 'rwm', type: 'c', major: 2 ** 32 - 1 },     'invalid device major 4294967295 at 0'],
  [{ access: 'rwm', type: 'c', major: 1, minor: .5 },'invalid device minor 0.5 at 0'],
];

describe('parseDeviceRules()', () => {
  it('reads an absent number and -1 as any', () => {
    const expected = { allow: true, match: { type: 'c', major: undefined, minor: undefined }, access: 2 };
    expect(parseDeviceRules([{ allow: true, type: 'c', access: 'r' }])).toEqual([expected]);
    expect(parseDeviceRules([{ allow: true, type: 'c', major: -1, minor: -1, access: 'r' }])).toEqual([
      expected,
    ]);
  });

  it('reads 0 as the number 0', () => {
    const [rule] = parseDeviceRules([{ allow: true, type: 'b', major: 0, minor: 0, access: 'm' }]);
    expect(rule?.match).toEqual({ type: 'b', major: 0, minor: 0 });
  });

  it('reads a rule without a type, or with "a", as one for all devices whatever its numbers', () => {
    expect(parseDeviceRules([{ allow: false, access: 'rwm' }])[0]?.match).toBeUndefined();
    const all = { allow: false, type: 'a', major: 1, minor: 3, access: 'r' } as const;
    expect(parseDeviceRules([all])[0]?.match).toBeUndefined();
  });

  it('takes the letters of access in any order and number', () => {
    expect(parseDeviceRules([{ allow: true, access: 'mwrw' }])[0]?.access).toBe(7);
  });

  for (const [rule, text] of REFUSED) {
    it(`refuses ${JSON.stringify(rule)}`, () => {
      expect(() => parseDeviceRules([{ allow: true, access: 'r', ...rule } as DeviceRule])).toThrow(text);
    });
  }

  it('refuses more than 4096 rules, and takes as many', () => {
    const rule: DeviceRule = { allow: true, access: 'r' };
    expect(() => parseDeviceRules(Array(4097).fill(rule))).toThrow('more than 4096 device rules: 4097');
    expect(parseDeviceRules(Array(4096).fill(rule))).toHaveLength(4096);
  });
});

describe('formatMatch()', () => {
  it('writes a rule as devices.list does', () => {
    expect(formatMatch({ type: 'c', major: 136, minor: undefined }, 7)).toBe('c 136:* rwm');
    expect(formatMatch({ type: 'b', major: undefined, minor: 0 }, 1)).toBe('b *:0 m');
  });
});

describe('defaultDeviceRules()', () => {
  const text = (paths: string[]): string[] =>
    defaultDeviceRules(new Set(paths)).map(({ match, access }) =>
      match === undefined ? 'a' : formatMatch(match, access),
    );

  it('is what runc 1.2.4 and later allow every container', () => {
    const memory = ['c 1:3 rwm', 'c 1:8 rwm', 'c 1:7 rwm', 'c 5:0 rwm', 'c 1:5 rwm', 'c 1:9 rwm'];
    const terminals = ['c 136:* rwm', 'c 5:2 rwm'];
    expect(text([])).toEqual(['c *:* m', 'b *:* m', ...memory, ...terminals, 'c 10:200 rwm']);
  });

  it('leaves out a node that the config defines itself', () => {
    expect(text(['/dev/null', '/dev/fuse'])).not.toContain('c 1:3 rwm');
    expect(text(['/dev/null', '/dev/fuse'])).toHaveLength(10);
  });
});
