// The program as a user starts it, to its end.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { DEADLINE_MS } from './child.ts';
import { CHECKOUT } from './compile.ts';

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

/** Debian's places, so that what the tests' own runner put on PATH is not found by chance. */
export const PLAIN_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Ended {
  const env = { PATH: PLAIN_PATH, ...options.env };
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...options,
    env,
    encoding: 'utf8',
    timeout: DEADLINE_MS,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

export const HULL: string = join(CHECKOUT, 'bin/hull');

export const hull = (args: readonly string[], options: RunOptions = {}): Ended =>
  runProgram(HULL, args, options);
