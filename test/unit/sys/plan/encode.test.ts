import { describe, expect, it } from 'vitest';
import { encodeProgram } from '../../../../sys/plan/encode.ts';
import {
  addressOf,
  block,
  buffer,
  cString,
  flags,
  type Operand,
  Program,
  place,
  REPORT,
  slot,
  stringVector,
} from '../../../../sys/plan/program.ts';
import { ANY_ERRNO, HEADER, NO_SLOT, OP, STEP, STEPS_MAX } from '../../../../sys/stage/layout.ts';

const ADDRESS = 0x10001000;
const OPTIONS = {
  architecture: 'x64',
  address: ADDRESS,
  given: new Map(),
  reportFd: 5,
  traceFd: -1,
} as const;

/** An encoded program, looked into as the interpreter does. */
function encoded(program: Program, options: Partial<Parameters<typeof encodeProgram>[1]> = {}) {
  const { bytes, memoryBytes, slotOffsets } = encodeProgram(program, { ...OPTIONS, ...options });
  const memory = Buffer.concat([bytes, Buffer.alloc(memoryBytes - bytes.length)]);
  const base = options.address ?? ADDRESS;
  const pointer = (at: number): number => Number(memory.readBigUInt64LE(at)) - base;
  const step = (index: number): number => pointer(HEADER.steps) + STEP.bytes * index;
  return {
    bytes,
    memory,
    slotOffsets,
    pointer,
    step,
    slotsAt: pointer(HEADER.slots),
    operand: (index: number, position: number): bigint =>
      memory.readBigUInt64LE(step(index) + STEP.operands + 8 * position),
    /** Where the operand points to. */
    target: (index: number, position: number): number => pointer(step(index) + STEP.operands + 8 * position),
    kind: (index: number, position: number) => memory[step(index) + STEP.kinds + position],
  };
}

function callOf(...operands: Operand[]): Program {
  const p = new Program();
  p.call('label', 'getpid', operands);
  return p;
}

describe('encodeProgram() writes', () => {
  it('the number of the call for each architecture, and no destination where there is none', () => {
    for (const [architecture, number] of [
      ['x64', 39],
      ['arm64', 172],
    ] as const) {
      const { memory, step } = encoded(callOf(), { architecture });
      expect(memory[step(0) + STEP.op]).toBe(OP.call);
      expect(memory.readUInt32LE(step(0) + STEP.code)).toBe(number);
      expect(memory.readUInt16LE(step(0) + STEP.destination)).toBe(NO_SLOT);
    }
  });

  // biome-ignore format: a table
  const WORDS: [operand: number | bigint, word: bigint][] = [
    [0, 0n], [1, 1n], [-1, 0xffffffffffffffffn], [-100, 0xffffffffffffff9cn],
    [0xffffffff, 0xffffffffn], [0x100000000, 0x100000000n], [-0x100000000, 0xffffffff00000000n],
    [Number.MAX_SAFE_INTEGER, 0x1fffffffffffffn], [Number.MIN_SAFE_INTEGER, 0xffe0000000000001n],
    [1n << 63n, 1n << 63n], [-(1n << 63n), 1n << 63n], [(1n << 64n) - 1n, 0xffffffffffffffffn], [-1n, 0xffffffffffffffffn],
  ];
  it('every 64-bit integer as it is, signed or not, alone or as flags', () => {
    for (const [operand, word] of WORDS) {
      const { operand: at, kind } = encoded(callOf(operand, flags(operand, 'FLAGS')));
      expect([operand, at(0, 0), at(0, 1), kind(0, 0), kind(0, 1)]).toEqual([operand, word, word, 0, 0]);
    }
  });

  it('a slot by the offset from slot 0, and the address of a slot', () => {
    const fd = slot('fd');
    const { operand, kind, target, slotsAt, slotOffsets } = encoded(callOf(fd, addressOf(fd)));
    expect(kind(0, 0)).toBe(1);
    expect(slotsAt + Number(operand(0, 0))).toBe(slotOffsets.get('fd'));
    expect(kind(0, 1)).toBe(0);
    expect(target(0, 1)).toBe(slotOffsets.get('fd'));
  });

  it('what slots hold at the start, and the descriptors of reports and trace', () => {
    const given = new Map([
      ['root', 7],
      ['minus', -2],
    ]);
    const { memory, slotsAt, slotOffsets } = encoded(callOf(slot('root'), slot('other')), {
      given,
      traceFd: 9,
    });
    const value = (name: string): bigint => memory.readBigInt64LE(slotOffsets.get(name) ?? 0);
    expect([value('root'), value('minus'), value('other')]).toEqual([7n, -2n, 0n]);
    expect([memory.readBigInt64LE(slotsAt), memory.readBigInt64LE(slotsAt + 8)]).toEqual([5n, 9n]);
  });

  it('the report descriptor as the slot that the interpreter reports to', () => {
    const p = new Program();
    p.set('report elsewhere', REPORT, 6);
    const { memory, step, slotOffsets } = encoded(p);
    expect(memory.readUInt16LE(step(0) + STEP.destination)).toBe(0);
    expect([...slotOffsets.keys()]).toEqual([]);
  });

  it('blocks aligned to 8, places inside them, and equal strings once', () => {
    const data = block('data', Uint8Array.of(1, 2, 3));
    const { target, memory } = encoded(
      callOf(cString('same'), cString('same'), cString('other'), data, place(data, 2)),
    );
    expect(target(0, 0)).toBe(target(0, 1));
    expect(memory.toString('utf8', target(0, 0), target(0, 0) + 5)).toBe('same\0');
    expect(memory.toString('utf8', target(0, 2), target(0, 2) + 6)).toBe('other\0');
    expect([...memory.subarray(target(0, 3), target(0, 3) + 3)]).toEqual([1, 2, 3]);
    expect(target(0, 4)).toBe(target(0, 3) + 2);
    for (const position of [0, 2, 3]) expect(target(0, position) % 8).toBe(0);
  });

  it('two blocks of one text where their bytes differ, or where they are no strings', () => {
    const { target } = encoded(
      callOf(
        block('"x"', Uint8Array.of(1)),
        block('"x"', Uint8Array.of(2)),
        buffer('page', 8),
        buffer('page', 8),
      ),
    );
    expect(target(0, 0)).not.toBe(target(0, 1));
    expect(target(0, 2)).not.toBe(target(0, 3));
  });

  it('pointers between blocks, NULL at the end of a vector, and blocks reached only so', () => {
    const argv = stringVector(['a', 'b', 'a']);
    const { target, pointer, memory } = encoded(callOf(argv));
    const at = target(0, 0);
    const strings = [0, 8, 16].map((offset) => pointer(at + offset));
    expect(strings.map((offset) => memory.toString('utf8', offset, offset + 2))).toEqual([
      'a\0',
      'b\0',
      'a\0',
    ]);
    expect(strings[0]).toBe(strings[2]);
    expect(memory.readBigUInt64LE(at + 24)).toBe(0n);
  });

  it('no bytes for buffers that start as zeros, but memory after all that has bytes', () => {
    const { bytes, memory, target } = encoded(callOf(buffer('page', 4096), cString('after')));
    expect(target(0, 0)).toBeGreaterThanOrEqual(bytes.length);
    expect(target(0, 0) + 4096).toBeLessThanOrEqual(memory.length);
    expect(target(0, 1)).toBeLessThan(bytes.length);
  });

  it('where policies lead: the next step, a label before, a label after', () => {
    const p = new Program();
    p.mark('start');
    p.report('first', 1);
    p.call('label', 'close', [3], { ignore: ['EBADF'], on: { EIO: 'start', any: 'end' } });
    p.report('between', 2);
    p.mark('end');
    const { memory, step } = encoded(p);
    const policy = (i: number): number[] =>
      [0, 2].map((o) => memory.readUInt16LE(step(1) + STEP.policy + 4 * i + o));
    expect(memory[step(1) + STEP.policies]).toBe(3);
    expect([policy(0), policy(1), policy(2)]).toEqual([
      [9, 2],
      [5, 0],
      [ANY_ERRNO, 3],
    ]);
  });

  it('a step of zeros after the last', () => {
    const { memory, step } = encoded(callOf());
    expect(memory.subarray(step(1), step(2))).toEqual(Buffer.alloc(STEP.bytes));
  });
});

describe('encodeProgram() refuses', () => {
  const encode = (program: Program) => encodeProgram(program, OPTIONS);

  it('more than six operands, and takes six', () => {
    expect(() => encode(callOf(1, 2, 3, 4, 5, 6, 7))).toThrow('more than 6 operands: label');
    expect(() => encode(callOf(1, 2, 3, 4, 5, 6))).not.toThrow();
  });

  it('more than eight policies, and takes eight', () => {
    const eight = ['EPERM', 'ENOENT', 'ESRCH', 'EINTR', 'EIO', 'ENXIO', 'E2BIG', 'EBADF'] as const;
    const p = new Program();
    p.call('label', 'close', [3], { ignore: eight });
    expect(() => encode(p)).not.toThrow();
    p.call('too many', 'close', [3], { ignore: [...eight, 'any'] });
    expect(() => encode(p)).toThrow('more than 8 policies: too many');
  });

  it('a label that nothing marks, in a branch and in a policy', () => {
    const branch = new Program();
    branch.goTo('nowhere');
    const policy = new Program();
    policy.call('label', 'close', [3], { on: { any: 'nowhere' } });
    for (const p of [branch, policy]) {
      expect(() => encode(p)).toThrow('branch to the unknown label "nowhere"');
      p.mark('nowhere');
      expect(() => encode(p)).not.toThrow();
    }
  });

  it('more steps than a step number can count, and takes as many', () => {
    const p = new Program();
    for (let i = 0; i < STEPS_MAX; i++) p.report('step', 0);
    p.goTo('end');
    p.mark('end');
    expect(() => encode(p)).toThrow(`a plan of more than ${STEPS_MAX} steps`);
    p.steps.pop();
    expect(() => encode(p)).not.toThrow();
  });

  it('more slots than a slot number can count', () => {
    const p = new Program();
    // Six to a step, and the two that the interpreter knows.
    for (let i = 0; i < Math.ceil((NO_SLOT - 2) / 6); i++) {
      p.call(
        'slots',
        'getpid',
        Array.from({ length: 6 }, (_, k) => slot(`${6 * i + k}`)),
      );
    }
    expect(() => encode(p)).toThrow(`a plan of more than ${NO_SLOT} slots`);
    p.steps.pop();
    expect(() => encode(p)).not.toThrow();
  });

  it('what 64 bits cannot hold, and fractions', () => {
    for (const wrong of [0.5, 2 ** 53, -(2 ** 53), Number.NaN, 1n << 64n, -(1n << 63n) - 1n]) {
      expect(() => encode(callOf(wrong)), String(wrong)).toThrow('not a 64-bit integer');
    }
  });

  it('a plan that takes more memory than a stage may', () => {
    const megabytes = (n: number): Operand => buffer('big', n * 1024 * 1024);
    expect(() => encode(callOf(megabytes(16)))).toThrow('a plan of more than 16777216 bytes');
    expect(() => encode(callOf(megabytes(15)))).not.toThrow();
  });
});
