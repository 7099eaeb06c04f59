import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { F_SETFD } from '../../../sys/abi/constants.ts';
import { cString, Program, slot, stringVector } from '../../../sys/plan/program.ts';
import { StageSession } from '../../../sys/stage/session.ts';
import { decodeStatus, shellStatus, waitFor, waitForExit } from '../../../sys/wait.ts';

/** A child that node:child_process does not know, and so does not reap. */
function childOf(script: string): number {
  const p = new Program();
  p.call('close on exec', 'fcntl', [slot('control'), F_SETFD, 1]);
  p.call('execute', 'execve', [cString('/bin/sh'), stringVector(['sh', '-c', script]), stringVector([])]);
  const options = { given: new Map(), controlSlot: 'control', preserveFds: 0, fallbackDirectory: '/tmp' };
  using stage = StageSession.launch(p, options);
  stage.next();
  return stage.pid;
}

describe('decodeStatus() and shellStatus()', () => {
  // biome-ignore format: a table
  const STATUSES: [status: number, code: number, signal: number, shell: number][] = [
    [0x0000, 0,   0,  0],
    [0x0100, 1,   0,  1],
    [0xff00, 255, 0,  255],
    [0x0009, 0,   9,  137],
    [0x000f, 0,   15, 143],
    [0x008b, 0,   11, 139], // with a core dump
  ];
  for (const [status, code, signal, shell] of STATUSES) {
    it(`read 0x${status.toString(16)} as ${signal === 0 ? `exit ${code}` : `signal ${signal}`}`, () => {
      expect(decodeStatus(status)).toEqual({ code, signal });
      expect(shellStatus(decodeStatus(status))).toBe(shell);
    });
  }
});

describe('waitFor()', () => {
  it('gives how the child ended, once', () => {
    const pid = childOf('exit 7');
    expect(waitFor(pid)).toEqual({ code: 7, signal: 0 });
    expect(() => waitFor(pid)).toThrow('wait4: no child processes');
    expect(waitFor(childOf('kill -TERM $$'))).toEqual({ code: 0, signal: 15 });
  });
});

describe('waitForExit()', () => {
  it('lets JavaScript go on until the child ends, signals notwithstanding', async () => {
    const pid = childOf('sleep 10');
    const ended = waitForExit(pid);
    // Each of these ends in a SIGCHLD that is not for it.
    const others = Array.from({ length: 10 }, () => spawn('true'));
    await Promise.all(others.map((other) => new Promise((resolve) => other.on('close', resolve))));
    process.kill(pid, 'SIGKILL');
    expect(await ended).toEqual({ code: 0, signal: 9 });
  });

  it('waits for several at once, each with its own end', async () => {
    const pids = [3, 4, 5].map((code) => childOf(`exit ${code}`));
    expect((await Promise.all(pids.map(waitForExit))).map(({ code }) => code)).toEqual([3, 4, 5]);
  });

  it('refuses a process that is not there', async () => {
    await expect(waitForExit(2 ** 22 + 1)).rejects.toThrow(/^wait4: no child processes$/);
  });

  it("is in nobody's way once all have ended", async () => {
    await waitForExit(childOf('exit 0'));
    expect(process.listenerCount('SIGCHLD')).toBe(0);
  });
});
