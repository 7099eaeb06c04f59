import { describe, expect, it } from 'vitest';
import { mergeEnvironment, withEnvironment } from '../../../runtime/environment.ts';

describe('withEnvironment()', () => {
  const environment = (env: string[], listenFds = 0): readonly string[] | undefined =>
    withEnvironment({ args: ['true'], cwd: '/', env }, '/nonexistent-root', listenFds).env;

  it('keeps the last of several values, at its place', () => {
    expect(environment(['A=1', 'HOME=/a', 'B=x=y', 'A=2'])).toEqual(['HOME=/a', 'B=x=y', 'A=2']);
  });

  it('counts sockets for the process, whatever its configuration says', () => {
    const env = ['LISTEN_FDS=9', 'LISTEN_PID=77', 'HOME=/a'];
    expect(environment(env, 2)).toEqual(['HOME=/a', 'LISTEN_FDS=2', 'LISTEN_PID=1']);
  });

  it('gives a HOME to a process whose last one is empty', () => {
    expect(environment(['HOME=/a', 'HOME='])).toEqual(['HOME=/']);
  });
});

describe('mergeEnvironment()', () => {
  it('lets what is added replace what there was', () => {
    expect(mergeEnvironment(['A=1', 'B=2'], ['A=3', 'C='])).toEqual(['B=2', 'A=3', 'C=']);
  });

  for (const wrong of ['NAME', '', '=value']) {
    it(`refuses ${JSON.stringify(wrong)}`, () => {
      expect(() => mergeEnvironment([], [wrong])).toThrow(
        `invalid environment variable ${JSON.stringify(wrong)}: not name=value`,
      );
    });
  }
});
