import { describe, expect, it } from 'vitest';
import { contextOf, defaultRoot, type GlobalOptions } from '../../../../runtime/cli/global-options.ts';
import { Log } from '../../../../runtime/log.ts';

const yes = () => true;
const no = () => false;

describe('defaultRoot()', () => {
  const XDG_RUNTIME_DIR = '/run/user/1000';
  // biome-ignore format: a table
  const CASES: [who: string, euid: number, env: { XDG_RUNTIME_DIR?: string; USER?: string }, inNamespace: () => boolean, root: string][] = [
    ['root',                                     0,    { XDG_RUNTIME_DIR, USER: 'x' },    no,  '/run/hull'],
    ['a user',                                   1000, { XDG_RUNTIME_DIR },               no,  '/run/user/1000/hull'],
    ['a user without XDG_RUNTIME_DIR',           1000, {},                                no,  '/run/hull'],
    ['a user with an empty XDG_RUNTIME_DIR',     1000, { XDG_RUNTIME_DIR: '' },           no,  '/run/hull'],
    ['the root of a namespace, whom USER names', 0,    { XDG_RUNTIME_DIR, USER: 'root' }, yes, '/run/hull'],
    ['a user who is root of a namespace',        0,    { XDG_RUNTIME_DIR, USER: 'jo' },   yes, '/run/user/1000/hull'],
  ];
  for (const [who, euid, env, inNamespace, root] of CASES) {
    it(`is ${root} for ${who}`, () => expect(defaultRoot(euid, env, inNamespace)).toBe(root));
  }
});

describe('contextOf()', () => {
  const NONE: GlobalOptions = {
    root: undefined,
    log: undefined,
    logFormat: undefined,
    debug: false,
    systemdCgroup: false,
    rootless: undefined,
    version: false,
  };
  const log = new Log({ format: 'text', debug: false });

  it('tells a given root from the default one', () => {
    expect(contextOf({ ...NONE, root: '/x' }, log)).toMatchObject({ root: '/x', isDefaultRoot: false });
    expect(contextOf(NONE, log)).toMatchObject({ isDefaultRoot: true });
  });

  it('refuses the root of the file system', () => {
    for (const root of ['/', '//']) {
      expect(() => contextOf({ ...NONE, root }, log)).toThrow(
        'Option --root argument should not be set to /',
      );
    }
  });

  it('reads --rootless', () => {
    const rootless = ['true', 'false', 'auto'].map(
      (mode) => contextOf({ ...NONE, rootless: mode }, log).rootless,
    );
    expect(rootless).toEqual([true, false, undefined]);
    expect(() => contextOf({ ...NONE, rootless: 'maybe' }, log)).toThrow('invalid rootless mode: maybe');
  });
});
