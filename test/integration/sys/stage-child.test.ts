// What a stage inherits from hull, and what it must not.
import { readFileSync, readlinkSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { O_PATH, SIG_SETMASK } from '../../../sys/abi/constants.ts';
import { Fd } from '../../../sys/fd.ts';
import { Program, slot } from '../../../sys/plan/program.ts';
import { executableFile, spawnExecutable } from '../../../sys/stage/spawn.ts';
import { syscall, trySyscall } from '../../../sys/syscall.ts';
import { contents, MEMFD, memoryFile, runStage } from '../../support/run-stage.ts';
import { copyDirectory, copyFile, copyLink, entryNames } from '../../support/stage-reads.ts';

const SIGPIPE = 13;
const SIGUSR1 = 10;
const SIGUSR2 = 12;
const bit = (signal: number): bigint => 1n << BigInt(signal - 1);

/** What the steps of `build` write to their output, run in a stage that inherits `inherited` besides. */
function outputOf(
  build: (p: Program, output: ReturnType<typeof slot>) => void,
  inherited: readonly Fd[] = [],
): Buffer {
  using output = memoryFile('output');
  const p = new Program();
  build(p, slot('output'));
  p.call('leave', 'exit_group', [0]);
  const others = inherited.map((fd, index) => [`inherited ${index}`, fd] as const);
  const { code, reports } = runStage(MEMFD, p, { given: new Map([['output', output], ...others]) });
  expect({ code, reports }).toEqual({ code: 0, reports: [] });
  return contents(output);
}

function signalSets(status: string): { blocked: bigint; ignored: bigint; caught: bigint } {
  const set = (name: string): bigint =>
    BigInt(`0x${new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]}`);
  return { blocked: set('SigBlk'), ignored: set('SigIgn'), caught: set('SigCgt') };
}

describe('a spawned stage', () => {
  const handler = (): void => {};
  afterEach(() => process.off('SIGUSR2', handler));

  it('has the default mask and dispositions, though Node ignores SIGPIPE and this thread blocks SIGUSR1', () => {
    process.on('SIGUSR2', handler);
    const before = new Uint8Array(8);
    syscall('rt_sigprocmask', 0, new Uint8Array(BigUint64Array.of(bit(SIGUSR1)).buffer), before, 8);
    try {
      const ours = signalSets(readFileSync('/proc/thread-self/status', 'utf8'));
      expect(ours.blocked & bit(SIGUSR1)).toBe(bit(SIGUSR1));
      expect(ours.ignored & bit(SIGPIPE)).toBe(bit(SIGPIPE));
      expect(ours.caught & bit(SIGUSR2)).toBe(bit(SIGUSR2));

      const status = outputOf((p, output) => copyFile(p, '/proc/self/status', output)).toString();
      expect(signalSets(status)).toEqual({ blocked: 0n, ignored: 0n, caught: 0n });
    } finally {
      syscall('rt_sigprocmask', SIG_SETMASK, before, 0, 8);
    }
  });

  it('has 0, 1, 2 and what it is given, but not what the caller left open without close-on-exec', () => {
    // Beyond the numbers that Node itself makes close-on-exec when it starts.
    const leaked = 700;
    using root = new Fd(syscall('openat', -100, '/', O_PATH, 0));
    using leak = new Fd(syscall('dup3', root.number, leaked, 0));
    using wanted = memoryFile('wanted');
    expect(trySyscall('fcntl', leak.number, 1)).toBe(0);

    const seen = (inherited: readonly Fd[]): number[] => {
      const entries = outputOf((p, output) => copyDirectory(p, '/proc/self/fd', output), inherited);
      return entryNames(entries).map(Number);
    };
    const own = 4; // output, report, trace, and the directory that is being read
    const without = seen([wanted]);
    expect(without).toEqual(expect.arrayContaining([0, 1, 2, wanted.number]));
    expect(without).toHaveLength(3 + 1 + own);
    expect(without).not.toContain(leaked);
    expect(seen([leak])).toContain(leaked);
  });

  it('shares the standard descriptors, which Node has made close-on-exec', () => {
    const links = outputOf((p, output) => {
      for (const fd of [0, 1, 2]) copyLink(p, `/proc/self/fd/${fd}`, output);
    });
    const ours = [0, 1, 2].map((fd) => readlinkSync(`/proc/self/fd/${fd}`));
    expect(links.toString()).toBe(ours.join(''));
  });

  it('has no environment, while this process has one', () => {
    expect(readFileSync('/proc/self/environ', 'utf8')).not.toBe('');
    expect(outputOf((p, output) => copyFile(p, '/proc/self/environ', output)).toString()).toBe('');
  });

  it('starts in the current directory with one argument and no other thread', () => {
    expect(outputOf((p, output) => copyLink(p, '/proc/self/cwd', output)).toString()).toBe(process.cwd());
    const cmdline = outputOf((p, output) => copyFile(p, '/proc/self/cmdline', output)).toString();
    expect(cmdline).toMatch(/^\/proc\/self\/fd\/\d+\0$/);
    const tasks = outputOf((p, output) => copyDirectory(p, '/proc/self/task', output));
    expect(entryNames(tasks)).toHaveLength(1);
  });
});

describe('spawnExecutable() says what it could not execute', () => {
  it('where the file is no program', () => {
    using text = executableFile(Buffer.from('no program'), '/tmp');
    expect(() => spawnExecutable(text, { inherited: [] })).toThrow(
      `posix_spawn "/proc/self/fd/${text.number}": exec format error`,
    );
  });

  it('where an inherited descriptor is not open', () => {
    using text = executableFile(Buffer.from('no program'), '/tmp');
    expect(() => spawnExecutable(text, { inherited: [999] })).toThrow(
      /^posix_spawn ".*": bad file descriptor$/,
    );
  });
});
