import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NoHierarchyError } from '../../../cgroups/hierarchy.ts';
import { excuseRefusal, resolveCgroupPath } from '../../../cgroups/path.ts';
import { SysError } from '../../../sys/errno.ts';

const OWN = '/user.slice/session-1.scope';

// biome-ignore format: a table
const CASES: [cgroupsPath: string | undefined, expected: string][] = [
  ['/kubepods/pod1/c1',     '/kubepods/pod1/c1'],
  ['/c1',                   '/c1'],
  ['//a///b/./c/',          '/a/b/c'],
  ['machine/c1',            '/user.slice/machine/c1'], // beside the runtime's own cgroup
  [undefined,               '/user.slice/id1'],
  ['',                      '/user.slice/id1'],
  ['system.slice:runc:id1', '/user.slice/system.slice:runc:id1'],
  ['/...',                  '/...'],
  ['/a..b',                 '/a..b'],
];

// biome-ignore format: a table
const REFUSED: [cgroupsPath: string, why: string][] = [
  ['/../x',                  '".." could leave the hierarchy'],
  ['/a/../../x',             '".." could leave the hierarchy'],
  ['..',                     '".." could leave the hierarchy'],
  ['a/..',                   '".." could leave the hierarchy'],
  ['/a\0b',                  'it contains a NUL'],
  ['/a\nb',                  'it contains a newline'],
  ['/',                      'it names the root of the hierarchy'],
  ['/./',                    'it names the root of the hierarchy'],
  [`/${'x'.repeat(256)}`,    'a name of more than 255 bytes'],
  [`/${'ü'.repeat(128)}`,    'a name of more than 255 bytes'],
  ['/a'.repeat(65),          'more than 64 levels'],
];

describe('resolveCgroupPath()', () => {
  for (const [cgroupsPath, expected] of CASES) {
    it(`places ${JSON.stringify(cgroupsPath)} at ${expected}`, () => {
      expect(resolveCgroupPath(cgroupsPath, 'id1', () => OWN)).toBe(expected);
    });
  }

  for (const [cgroupsPath, why] of REFUSED) {
    it(`refuses ${JSON.stringify(cgroupsPath).slice(0, 40)}: ${why}`, () => {
      const refused = `invalid cgroupsPath ${JSON.stringify(cgroupsPath)}: ${why}`;
      expect(() => resolveCgroupPath(cgroupsPath, 'id1', () => OWN)).toThrow(refused);
    });
  }

  it('takes the longest name and the deepest path that it allows', () => {
    const deepest = `${'/a'.repeat(63)}/${'x'.repeat(255)}`;
    expect(resolveCgroupPath(deepest, 'id1', () => OWN)).toBe(deepest);
  });

  it('puts a container of a runtime in the root cgroup right below the root', () => {
    expect(resolveCgroupPath(undefined, 'id1', () => '/')).toBe('/id1');
  });

  it('does not ask for the own cgroup when the path is absolute', () => {
    const never = (): string => {
      throw new Error('asked');
    };
    expect(resolveCgroupPath('/a', 'id1', never)).toBe('/a');
    expect(() => resolveCgroupPath('a', 'id1', never)).toThrow('asked');
  });

  it('gives a clean absolute path below the root or refuses', () => {
    const name = fc.oneof(fc.constantFrom('..', '.', '', '/', '\0', 'a'), fc.string({ maxLength: 5 }));
    fc.assert(
      fc.property(fc.array(name), fc.boolean(), (names, isAbsolute) => {
        let resolved: string;
        try {
          resolved = resolveCgroupPath(`${isAbsolute ? '/' : ''}${names.join('/')}`, 'id1', () => OWN);
        } catch {
          return;
        }
        expect(resolved).toMatch(/^(\/[^/\0\n]+)+$/u);
        expect(resolved.split('/')).not.toContain('..');
        expect(resolved.split('/')).not.toContain('.');
      }),
    );
  });
});

describe('excuseRefusal()', () => {
  const refused = new SysError('mkdir', 13, '/user.slice/c1');
  const asked = { isRootless: true, cgroupsPath: undefined, needsControllers: false };

  it('lets a rootless container go without a cgroup', () => {
    expect(() => excuseRefusal(refused, asked)).not.toThrow();
    expect(() => excuseRefusal(refused, { ...asked, cgroupsPath: '' })).not.toThrow();
    expect(() => excuseRefusal(new NoHierarchyError(), asked)).not.toThrow();
  });

  it('says what rootless needs when there are limits to enforce', () => {
    expect(() => excuseRefusal(refused, { ...asked, needsControllers: true })).toThrow(
      'rootless needs no limits + no cgrouppath when no permission is granted for cgroups: mkdir "/user.slice/c1": permission denied',
    );
  });

  it('passes the refusal on when a cgroup was asked for, or the runtime is not rootless', () => {
    expect(() => excuseRefusal(refused, { ...asked, cgroupsPath: '/c1' })).toThrow(refused);
    expect(() => excuseRefusal(refused, { ...asked, isRootless: false })).toThrow(refused);
  });

  it('excuses nothing but a want of permission', () => {
    const full = new SysError('mkdir', 28, '/c1');
    expect(() => excuseRefusal(full, asked)).toThrow(full);
  });
});
