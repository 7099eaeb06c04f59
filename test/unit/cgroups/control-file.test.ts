import { describe, expect, it } from 'vitest';
import { flatKeyedValue } from '../../../cgroups/control-file.ts';

describe('flatKeyedValue()', () => {
  const events = 'populated 1\nfrozen 0\n';

  it('reads the value of a key', () => {
    expect(flatKeyedValue(events, 'populated')).toBe('1');
    expect(flatKeyedValue(events, 'frozen')).toBe('0');
  });

  it('does not take a longer key for a shorter one', () => {
    expect(flatKeyedValue('oom_kill 3\noom 1\n', 'oom')).toBe('1');
    expect(flatKeyedValue(events, 'pop')).toBeUndefined();
  });
});
