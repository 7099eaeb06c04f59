// A stage and the host that talks with it.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SCM_RIGHTS, SOL_SOCKET } from '../../../sys/abi/constants.ts';
import { cmsg_one_fd, iovec, msghdr } from '../../../sys/abi/structs.ts';
import { MESSAGE_BYTES_MAX, receiveMessage, sendMessage, socketPair } from '../../../sys/control-socket.ts';
import { Fd } from '../../../sys/fd.ts';
import { executeProgram } from '../../../sys/plan/execute.ts';
import { PlanError } from '../../../sys/plan/plan-error.ts';
import { block, buffer, cString, Program, place, slot, stringVector } from '../../../sys/plan/program.ts';
import { REPORT, STEP } from '../../../sys/stage/layout.ts';
import { readReport, StageSession } from '../../../sys/stage/session.ts';
import { syscall } from '../../../sys/syscall.ts';
import { shellStatus, waitFor } from '../../../sys/wait.ts';
import { contents, memoryFile } from '../../support/run-stage.ts';

const CONTROL = 'control';
const launch = (
  p: Program,
  options: { stdio?: [number, number, number]; given?: ReadonlyMap<string, number> } = {},
) =>
  StageSession.launch(p, {
    given: new Map(),
    controlSlot: CONTROL,
    preserveFds: 0,
    fallbackDirectory: '/tmp',
    ...options,
  });
const exit = (p: Program, status: number): void => p.call('leave', 'exit_group', [status]);
const statusOf = ({ pid }: StageSession): number => shellStatus(waitFor(pid));

describe('StageSession', () => {
  it('gives each report with its label, and undefined at the end', () => {
    const p = new Program();
    p.report('first', 1);
    p.set('x', slot('x'), -2);
    p.report('second', slot('x'));
    exit(p, 4);
    using stage = launch(p);
    expect([stage.next(), stage.next(), stage.next()]).toEqual([
      { label: 'first', value: 1, fd: undefined },
      { label: 'second', value: -2, fd: undefined },
      undefined,
    ]);
    expect(stage.lastReport).toBe(-2);
    expect(statusOf(stage)).toBe(4);
  });

  it('lets a stage wait for what the host answers', () => {
    const p = new Program();
    const [word, bytes, sum] = [buffer('answer', 8), slot('bytes'), slot('sum')];
    p.report('waiting', 0);
    p.call('wait for the host', 'read', [slot(CONTROL), word, 8], { into: bytes });
    p.load('the answer', sum, 8, word);
    p.report('answered', sum);
    p.report('bytes', bytes);
    exit(p, 0);
    using stage = launch(p);
    expect(stage.next()?.label).toBe('waiting');
    stage.answer(new Uint8Array(BigUint64Array.of(42n).buffer));
    expect([stage.next()?.value, stage.next()?.value]).toEqual([42, 8]);
    expect(statusOf(stage)).toBe(0);
  });

  it('throws the step that failed, with its label and errno', () => {
    const p = new Program();
    p.report('started', 0);
    p.call('open "/nonexistent"', 'openat', [-100, cString('/nonexistent'), 0, 0]);
    using stage = launch(p);
    stage.next();
    expect(() => stage.next()).toThrow(new PlanError(p, 1, 2));
    expect(statusOf(stage)).toBe(1);
  });

  it('sees the end when the stage becomes the program, which has the standard descriptors it was given', () => {
    using input = memoryFile('input');
    using output = memoryFile('output');
    syscall('pwrite64', input.number, Buffer.from('from outside'), 12, 0);
    const p = new Program();
    const argv = stringVector(['sh', '-c', 'cat; echo " $0" >&2', 'inside']);
    p.call('execute', 'execve', [cString('/bin/sh'), argv, stringVector(['PATH=/bin:/usr/bin'])]);
    using stage = launch(p, { stdio: [input.number, output.number, output.number] });
    expect(stage.next()).toBeUndefined();
    expect(statusOf(stage)).toBe(0);
    expect(contents(output).toString()).toBe('from outside inside\n');
  });

  it('refuses standard descriptors that would replace each other', () => {
    const p = new Program();
    exit(p, 0);
    expect(() => launch(p, { stdio: [1, 0, 2] })).toThrow(
      'descriptor 0 is replaced before it is used: [1,0,2]',
    );
    using stage = launch(p, { stdio: [0, 0, 2] });
    expect(statusOf(stage)).toBe(0);
  });

  it('receives a descriptor that the stage sends', () => {
    const p = new Program();
    const fd = slot('fd');
    p.call('make a file', 'memfd_create', [cString('gift'), 0], { into: fd });
    p.call('write to it', 'write', [fd, cString('for you'), 7]);
    const control = block(
      'cmsg',
      cmsg_one_fd.encode({ cmsg_len: 20n, cmsg_level: SOL_SOCKET, cmsg_type: SCM_RIGHTS }),
    );
    const vector = block('iovec', iovec.encode({ iov_len: 4n }), [
      { at: iovec.offsets.iov_base, to: cString('gift') },
    ]);
    const header = block(
      'msghdr',
      msghdr.encode({ msg_iovlen: 1n, msg_controllen: BigInt(cmsg_one_fd.size) }),
      [
        { at: msghdr.offsets.msg_iov, to: vector },
        { at: msghdr.offsets.msg_control, to: control },
      ],
    );
    p.store('put it in', 4, place(control, cmsg_one_fd.offsets.fd), fd);
    p.call('send it', 'sendmsg', [slot(CONTROL), header, 0]);
    exit(p, 0);
    using stage = launch(p);
    const message = stage.next();
    using gift = message?.fd;
    expect(message?.label).toBe('descriptor');
    expect(readFileSync(`/proc/self/fd/${gift?.number}`, 'utf8')).toBe('for you');
    expect(syscall('fcntl', gift?.number ?? -1, 1)).toBe(1);
    expect(statusOf(stage)).toBe(0);
  });

  it('ends a stage whose host is gone, at the next report', () => {
    const p = new Program();
    const [signals, set] = [buffer('signals', 8), block('SIGPIPE', Uint8Array.of(0, 0x10, 0, 0, 0, 0, 0, 0))];
    p.call('block SIGPIPE, as if this were pid 1', 'rt_sigprocmask', [0, set, signals, 8]);
    p.report('anyone there?', 1);
    p.call('wait for the host', 'read', [slot(CONTROL), signals, 8]);
    p.report('and now?', 2);
    exit(p, 0);
    const stage = launch(p);
    stage.next();
    stage[Symbol.dispose]();
    expect(statusOf(stage)).toBe(1);
  });
});

describe('readReport()', () => {
  const report = (...words: bigint[]): Buffer => Buffer.from(BigUint64Array.from(words).buffer);
  const p = new Program();
  p.report('only step', 0);

  it('reads step, kind and value', () => {
    expect(readReport(p, report(0n, 1n, 7n))).toEqual({ label: 'only step', value: 7, fd: undefined });
    expect(() => readReport(p, report(0n, 0n, 13n))).toThrow('only step: permission denied');
  });

  it('refuses what is no report, and knows no label for a step that the plan does not have', () => {
    for (const length of [0, REPORT.bytes - 1, REPORT.bytes + 1]) {
      expect(() => readReport(p, Buffer.alloc(length))).toThrow(
        `a stage sent ${length} bytes that are no report`,
      );
    }
    expect(readReport(p, report(BigInt(STEP.bytes), 1n, 0n)).label).toBe('');
    expect(readReport(p, report(1n, 1n, 0n)).label).toBe('');
  });
});

describe('a control socket', () => {
  it('keeps messages whole, and apart', () => {
    const [one, other] = socketPair();
    using host = one;
    using guest = other;
    const large = Buffer.alloc(MESSAGE_BYTES_MAX, 'x');
    sendMessage(host, Buffer.from('a'));
    sendMessage(host, large);
    expect(receiveMessage(guest).bytes.toString()).toBe('a');
    expect(Buffer.compare(receiveMessage(guest).bytes, large)).toBe(0);
    expect(() => sendMessage(host, Buffer.alloc(MESSAGE_BYTES_MAX + 1))).toThrow(RangeError);
  });

  it('passes one descriptor beside a message, close-on-exec, and none beside the next', () => {
    const [one, other] = socketPair();
    using host = one;
    using guest = other;
    using file = memoryFile('file');
    sendMessage(host, Buffer.from('with'), file);
    sendMessage(host, Buffer.from('without'));
    const received = receiveMessage(guest);
    using fd = received.fd;
    expect(fd).toBeInstanceOf(Fd);
    expect(syscall('fcntl', fd?.number ?? -1, 1)).toBe(1);
    expect(receiveMessage(guest)).toMatchObject({ fd: undefined });
  });

  it('takes one descriptor where two are sent, and leaves none behind', () => {
    const [one, other] = socketPair();
    using host = one;
    using guest = other;
    const control = block('cmsg', new Uint8Array(Int32Array.of(24, 0, SOL_SOCKET, SCM_RIGHTS, 0, 1).buffer));
    const vector = block('iovec', iovec.encode({ iov_len: 1n }), [{ at: 0, to: cString('x') }]);
    const header = block('msghdr', msghdr.encode({ msg_iovlen: 1n, msg_controllen: 24n }), [
      { at: msghdr.offsets.msg_iov, to: vector },
      { at: msghdr.offsets.msg_control, to: control },
    ]);
    const p = new Program();
    p.call('send two', 'sendmsg', [host.number, header, 0]);
    const before = readdirSync('/proc/self/fd').length;
    executeProgram(p);
    const message = receiveMessage(guest);
    expect(readdirSync('/proc/self/fd').length).toBe(before + 1);
    message.fd?.[Symbol.dispose]();
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  it('gives an empty message when the other side is gone, and refuses to send to it', () => {
    const [host, guest] = socketPair();
    using mine = host;
    guest[Symbol.dispose]();
    expect(receiveMessage(mine).bytes).toHaveLength(0);
    expect(() => sendMessage(mine, Buffer.from('x'))).toThrow('sendmsg: broken pipe');
  });
});
