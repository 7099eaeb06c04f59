// Every operation of the stage's interpreter, executed: natively, from a memfd and from a file, and on arm64.
import { beforeEach, describe, expect, it } from 'vitest';
import * as program from '../../../sys/plan/program.ts';
import {
  block,
  buffer,
  cString,
  flags,
  Program,
  place,
  slot,
  stringVector,
} from '../../../sys/plan/program.ts';
import { contents, memoryFile, runStage, STAGE_WAYS } from '../../support/run-stage.ts';

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const i64 = (value: bigint): bigint => BigInt.asIntN(64, value);

const EDGES: readonly bigint[] = [
  0n,
  1n,
  -1n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  1n << 32n,
  1n << 63n,
  (1n << 63n) - 1n,
];
const EDGE_PAIRS = EDGES.flatMap((left) => EDGES.map((right) => [left, right] as const));

const ARITHMETIC = {
  move: (left: bigint) => left,
  add: (left: bigint, right: bigint) => left + right,
  subtract: (left: bigint, right: bigint) => left - right,
  and: (left: bigint, right: bigint) => left & right,
  or: (left: bigint, right: bigint) => left | right,
} as const;

const COMPARISONS = {
  equal: (left: bigint, right: bigint) => u64(left) === u64(right),
  notEqual: (left: bigint, right: bigint) => u64(left) !== u64(right),
  below: (left: bigint, right: bigint) => u64(left) < u64(right),
  less: (left: bigint, right: bigint) => i64(left) < i64(right),
} as const;

/** A refusal with a number that is the same everywhere: EBADF of a descriptor that is not open. */
const BAD_FD = 1000;
const EBADF = 9n;

for (const way of STAGE_WAYS) {
  describe(`the stage, ${way.name}`, () => {
    beforeEach((context) => context.skip(way.missing !== undefined, way.missing));

    const exit = (p: Program): void => p.call('leave', 'exit_group', [0]);
    /** Runs a program that must come to its end, and gives the values that it reports. */
    const valuesOf = (p: Program): bigint[] => {
      exit(p);
      const { code, reports } = runStage(way, p);
      expect(reports.filter(({ kind }) => kind === 'error')).toEqual([]);
      expect(code).toBe(0);
      return reports.map(({ value }) => value);
    };

    for (const [op, calculate] of Object.entries(ARITHMETIC) as [
      program.ArithmeticOp,
      typeof ARITHMETIC.add,
    ][]) {
      it(`calculates "${op}" of immediates and slots, modulo 2^64`, () => {
        const p = new Program();
        const [left, right, result] = [slot('left'), slot('right'), slot('result')];
        const expected: bigint[] = [];
        for (const [a, b] of EDGE_PAIRS) {
          p.set('left', left, a);
          p.set('right', right, b);
          for (const [x, y] of [
            [a, b],
            [left, b],
            [a, right],
            [left, right],
          ] as const) {
            p.set('calculate', result, x, op, y);
            p.report('result', result);
            expected.push(u64(calculate(a, b)));
          }
        }
        expect(valuesOf(p)).toEqual(expected);
      });
    }

    for (const [comparison, holds] of Object.entries(COMPARISONS) as [
      program.Comparison,
      typeof COMPARISONS.less,
    ][]) {
      it(`branches on "${comparison}" of immediates and slots`, () => {
        const p = new Program();
        const [left, right] = [slot('left'), slot('right')];
        const expected: bigint[] = [];
        for (const [a, b] of EDGE_PAIRS) {
          p.set('left', left, a);
          p.set('right', right, b);
          for (const [x, y] of [
            [a, b],
            [left, b],
            [a, right],
            [left, right],
          ] as const) {
            const [taken, after] = [p.fresh('taken'), p.fresh('after')];
            p.branch('compare', x, comparison, y, taken);
            p.report('not taken', 0);
            p.goTo(after);
            p.mark(taken);
            p.report('taken', 1);
            p.mark(after);
            expected.push(holds(a, b) ? 1n : 0n);
          }
        }
        expect(valuesOf(p)).toEqual(expected);
      });
    }

    it('goes back to a label as well as ahead', () => {
      const p = new Program();
      const count = slot('count');
      p.mark('again');
      p.report('count', count);
      p.set('count', count, count, 'add', 1);
      p.branch('three times', count, 'below', 3, 'again');
      expect(valuesOf(p)).toEqual([0n, 1n, 2n]);
    });

    it('loads each width with zeros above, by immediate and computed address', () => {
      const p = new Program();
      const data = block('data', Uint8Array.of(0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8, 9));
      const [at, value] = [slot('address'), slot('value')];
      const expected: bigint[] = [];
      for (const [width, expectedValue] of [
        [1, 0x92n],
        [2, 0xa392n],
        [4, 0xc5b4a392n],
        [8, 0x09f8e7d6c5b4a392n],
      ] as const) {
        p.set('spoil', value, -1);
        p.load('at a place', value, width, place(data, 1));
        p.report('value', value);
        p.set('address', at, data, 'add', 1);
        p.set('spoil', value, -1);
        p.load('at an address in a slot', value, width, at);
        p.report('value', value);
        expected.push(expectedValue, expectedValue);
      }
      expect(valuesOf(p)).toEqual(expected);
    });

    it('stores each width and nothing beside it, by immediate and computed address', () => {
      const p = new Program();
      const [at, value, all] = [slot('address'), slot('value'), slot('all')];
      p.set('value', value, 0x1122334455667788n);
      for (const width of [1, 2, 4, 8] as const) {
        const data = block('data', new Uint8Array(24).fill(0xee));
        p.set('address', at, data, 'add', 16);
        p.store('slot to place', width, place(data, 8), value);
        p.store('immediate to slot', width, at, 0x0102030405060708n);
        for (const offset of [0, 8, 16]) {
          p.load('all', all, 8, place(data, offset));
          p.report('all', all);
        }
      }
      const untouched = 0xeeeeeeeeeeeeeeeen;
      expect(valuesOf(p)).toEqual([
        ...[untouched, 0xeeeeeeeeeeeeee88n, 0xeeeeeeeeeeeeee08n],
        ...[untouched, 0xeeeeeeeeeeee7788n, 0xeeeeeeeeeeee0708n],
        ...[untouched, 0xeeeeeeee55667788n, 0xeeeeeeee05060708n],
        ...[untouched, 0x1122334455667788n, 0x0102030405060708n],
      ]);
    });

    it('passes all six arguments, as immediates, flags, slots, blocks, places and addresses of slots', () => {
      using file = memoryFile('file');
      const p = new Program();
      const [fd, eight, got, into] = [slot('fd'), slot('eight'), slot('got'), slot('into')];
      p.set('eight', eight, 8);
      p.call('write a block', 'write', [fd, block('data', Buffer.from('0123456789abcdef')), 16]);
      p.call('write a place', 'pwrite64', [
        fd,
        place(block('more', Buffer.from('xyz')), 1),
        2,
        flags(14, 'FOURTEEN'),
      ]);
      p.call('read to a slot', 'pread64', [fd, program.addressOf(into), eight, 2n], { into: got });
      p.report('bytes read', got);
      p.report('the slot', into);
      const [mapped, byte] = [slot('mapped'), slot('byte')];
      p.call('six', 'mmap', [0, 4096, flags(1, 'PROT_READ'), flags(2, 'MAP_PRIVATE'), fd, 0], {
        into: mapped,
      });
      p.set('at 15', mapped, mapped, 'add', 15);
      p.load('through the mapping', byte, 1, mapped);
      p.report('byte', byte);
      exit(p);
      const { code, reports } = runStage(way, p, { given: new Map([['fd', file]]) });
      expect(code).toBe(0);
      const ahead = Buffer.from('23456789').readBigUInt64LE();
      expect(reports.map(({ value }) => value)).toEqual([8n, ahead, BigInt('z'.charCodeAt(0))]);
      expect(contents(file).toString()).toBe('0123456789abcdyz');
    });

    it('follows pointers between blocks, and has zeros where a buffer begins', () => {
      using file = memoryFile('file');
      const p = new Program();
      const hello = cString('hello');
      const big = buffer('big', 300_000);
      const iovec = new Uint8Array(48);
      const view = new DataView(iovec.buffer);
      for (const [index, size] of [5, 300_000, 2].entries())
        view.setBigUint64(16 * index + 8, BigInt(size), true);
      const pointers = [
        { at: 0, to: hello },
        { at: 16, to: big },
        { at: 32, to: cString('hello') },
      ];
      p.store('at the end of the buffer', 1, place(big, 299_999), 0x21);
      p.call('write', 'writev', [slot('fd'), block('iovec[3]', iovec, pointers), 3]);
      exit(p);
      expect(runStage(way, p, { given: new Map([['fd', file]]) }).code).toBe(0);
      expect(contents(file)).toEqual(
        Buffer.concat([Buffer.from('hello'), Buffer.alloc(299_999), Buffer.from('!he')]),
      );
    });

    it('becomes the program that it executes, with its arguments and environment', () => {
      const p = new Program();
      const argv = stringVector(['sh', '-c', 'test "$ONE" = 1 && exit $0', '42']);
      p.call('execute', 'execve', [cString('/bin/sh'), argv, stringVector(['ONE=1'])]);
      expect(runStage(way, p)).toMatchObject({ code: 42, reports: [] });
    });

    it('reports the step and the error of a refusal that no policy names, and leaves with 1', () => {
      const p = new Program();
      p.report('before', 1);
      p.call('close', 'close', [BAD_FD]);
      p.report('after', 2);
      expect(runStage(way, p)).toEqual({
        code: 1,
        signal: null,
        traces: [],
        reports: [
          { step: 0, kind: 'sync', value: 1n },
          { step: 1, kind: 'error', value: EBADF },
        ],
      });
    });

    it('keeps a refusal in its slot where a policy ignores it by name, or whatever it is', () => {
      const p = new Program();
      const result = slot('result');
      for (const ignore of ['EBADF', 'any'] as const) {
        p.set('spoil', result, 0);
        p.call('close', 'close', [BAD_FD], { into: result, ignore: [ignore] });
        p.report('result', result);
      }
      expect(valuesOf(p)).toEqual([u64(-EBADF), u64(-EBADF)]);
    });

    it('goes where the first policy that names the refusal leads', () => {
      const p = new Program();
      const seven = ['EPERM', 'ENOENT', 'ESRCH', 'EINTR', 'EIO', 'ENXIO', 'E2BIG'] as const;
      const wrong = Object.fromEntries(seven.map((errno) => [errno, 'wrong']));
      p.call('the eighth', 'close', [BAD_FD], { on: { ...wrong, EBADF: 'eighth' } });
      p.mark('wrong');
      p.fail('wrong way', 'EPROTO');
      p.mark('eighth');
      p.report('eighth', 8);
      p.call('a name before any', 'close', [BAD_FD], { on: { EBADF: 'named', any: 'wrong' } });
      p.mark('named');
      p.report('named', 9);
      p.call('any', 'close', [BAD_FD], { on: { EPERM: 'wrong', any: 'any' } });
      p.goTo('wrong');
      p.mark('any');
      p.report('any', 10);
      expect(valuesOf(p)).toEqual([8n, 9n, 10n]);
    });

    it('takes no policy when a call succeeds, and none for a name that the refusal does not have', () => {
      const p = new Program();
      p.call('succeeds', 'getpid', [], { on: { any: 'wrong' } });
      p.report('went on', 1);
      p.call('refused otherwise', 'close', [BAD_FD], { ignore: ['EINVAL'], on: { EIO: 'wrong' } });
      p.mark('wrong');
      p.report('wrong', 0);
      const { reports } = runStage(way, p);
      expect(reports).toEqual([
        { step: 1, kind: 'sync', value: 1n },
        { step: 2, kind: 'error', value: EBADF },
      ]);
    });

    it('takes a large result for what it is, not for an error', () => {
      using file = memoryFile('file');
      const p = new Program();
      const result = slot('result');
      p.call('seek far', 'lseek', [slot('fd'), (1n << 62n) + 1n, 0], { into: result });
      p.report('position', result);
      exit(p);
      const { reports } = runStage(way, p, { given: new Map([['fd', file]]) });
      expect(reports).toEqual([{ step: 1, kind: 'sync', value: (1n << 62n) + 1n }]);
    });

    it('fails where the plan says so, with its errno', () => {
      const p = new Program();
      p.fail('give up', 'EPROTO');
      const { code, reports } = runStage(way, p);
      expect({ code, reports }).toEqual({ code: 1, reports: [{ step: 0, kind: 'error', value: 71n }] });
    });

    it('ends with the error 0 at the step after the last', () => {
      const p = new Program();
      p.call('harmless', 'getpid', []);
      const { code, reports } = runStage(way, p);
      expect({ code, reports }).toEqual({ code: 1, reports: [{ step: 1, kind: 'error', value: 0n }] });
    });

    it('traces each call with its result and time, where it is asked to', () => {
      const p = new Program();
      const zero = slot('zero');
      p.call('refused', 'close', [BAD_FD], { ignore: ['EBADF'], into: zero });
      p.set('zero', zero, 0);
      p.call('close-on-exec?', 'fcntl', [0, 1]);
      p.call('leave', 'exit_group', [0]);
      const { code, traces } = runStage(way, p, { traced: true });
      expect(code).toBe(0);
      expect(traces.map(({ step, result }) => [step, result])).toEqual([
        [0, -EBADF],
        [2, 0n],
      ]);
      const [first, second] = traces.map(({ nanoseconds }) => nanoseconds);
      expect(first).toBeGreaterThan(0n);
      expect(second).toBeGreaterThanOrEqual(first ?? 0n);
      expect(runStage(way, p).traces).toEqual([]);
    });

    it('goes on with the same policies when it is traced', () => {
      const p = new Program();
      p.call('close', 'close', [BAD_FD], { on: { EPERM: 'wrong', EBADF: 'right' } });
      p.mark('wrong');
      p.fail('wrong way', 'EPROTO');
      p.mark('right');
      p.call('leave', 'exit_group', [3]);
      expect(runStage(way, p, { traced: true })).toMatchObject({ code: 3, reports: [] });
    });
  });
}
