import { describe, expect, it } from 'vitest';
import { HOOK_NAMES } from '../../../../spec/config/hooks.ts';
import { complaintsAfter } from '../../../support/complaints.ts';

// biome-ignore format: a table
const ROWS: readonly (readonly [hook: object, ...complaints: string[]])[] = [
  [{ path: '/bin/true', args: [], env: [], timeout: 1 }],
  [{ path: '/bin/true', timeout: 2_147_483 }],
  [{ path: 'bin/true' },                      '.path: must be an absolute path'],
  [{ path: '' },                              '.path: must be an absolute path'],
  [{ args: ['true'] },                        '.path: is required'],
  [{ path: '/bin/true', timeout: 0 },         '.timeout: must be greater than zero'],
  [{ path: '/bin/true', timeout: -1 },        '.timeout: must be greater than zero'],
  [{ path: '/bin/true', timeout: 1.5 },       '.timeout: must be an integer'],
  [{ path: '/bin/true', timeout: '5' },       '.timeout: must be an integer'],
  [{ path: '/bin/true', timeout: 2_147_484 }, '.timeout: must not be above 2147483 seconds'],
  [{ path: '/bin/true', env: ['SECRET'] },    ".env[0]: invalid environment variable: missing '='"],
  [{ path: '/bin/true', args: ['a\0b'] },     '.args[0]: must not contain a NUL byte'],
];

describe('hooks', () => {
  for (const name of HOOK_NAMES) {
    it(`checks every entry of ${name}`, () => {
      for (const [hook, ...expected] of ROWS) {
        const at = `$.hooks.${name}`;
        const complaints = complaintsAfter(at, [{ path: '/bin/first' }, hook]);
        expect(complaints).toEqual(expected.map((complaint) => `${at}[1]${complaint}`));
      }
    });
  }

  it('ignores a hook that the standard does not know', () => {
    expect(complaintsAfter('$.hooks.preFlight', [{ path: 'relative' }])).toEqual([]);
  });
});
