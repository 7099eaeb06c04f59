import { describe, expect, it } from 'vitest';
import {
  block,
  buffer,
  cString,
  NEXT,
  Program,
  place,
  slot,
  stringVector,
} from '../../../../sys/plan/program.ts';

describe('Program', () => {
  it('puts the refusals that are ignored before those that lead elsewhere', () => {
    const p = new Program();
    p.call('label', 'close', [3], { on: { EBADF: 'there', any: 'elsewhere' }, ignore: ['EIO'] });
    expect(p.steps).toEqual([
      {
        kind: 'call',
        call: 'close',
        operands: [3],
        into: undefined,
        policies: [
          ['EIO', NEXT],
          ['EBADF', 'there'],
          ['any', 'elsewhere'],
        ],
        label: 'label',
        failure: undefined,
      },
    ]);
  });

  it('leads a label to the step that follows it, even when that is none', () => {
    const p = new Program();
    p.mark('first');
    p.report('one', 1);
    p.mark('last');
    expect([...p.labels]).toEqual([
      ['first', 0],
      ['last', 1],
    ]);
  });

  it('refuses to mark a label twice', () => {
    const p = new Program();
    p.mark('here');
    expect(() => p.mark('here')).toThrow('label "here" marked twice');
    expect(() => p.mark('there')).not.toThrow();
  });

  it('makes up label names that differ', () => {
    const p = new Program();
    expect(new Set([p.fresh('a'), p.fresh('a'), p.fresh('b')]).size).toBe(3);
  });
});

describe('cString()', () => {
  it('ends with one NUL and prints in quotes', () => {
    expect(cString('ä"')).toMatchObject({ text: '"ä\\""', bytes: Buffer.from('ä"\0'), size: 4 });
  });

  it('refuses a NUL inside', () => {
    expect(() => cString('/etc\0/passwd')).toThrow('a C string cannot hold NUL: "/etc\\u0000/passwd"');
  });
});

describe('stringVector()', () => {
  it('points to each string and ends with NULL', () => {
    const { text, size, pointers } = stringVector(['sh', '-c']);
    expect(text).toBe('["sh", "-c"]');
    expect(size).toBe(24);
    expect(pointers.map(({ at, to }) => [at, to.text])).toEqual([
      [0, '"sh"'],
      [8, '"-c"'],
    ]);
  });

  it('is one NULL when it is empty, and refuses a NUL inside a string', () => {
    expect(stringVector([])).toMatchObject({ size: 8, pointers: [] });
    expect(() => stringVector(['a', 'b\0'])).toThrow('NUL');
  });
});

describe('block() and place()', () => {
  it('refuse a pointer that does not fit, or is not aligned', () => {
    const to = cString('x');
    for (const at of [1, 4, 16, -8]) {
      expect(() => block('pair', new Uint8Array(16), [{ at, to }])).toThrow(
        `no pointer fits at ${at} of pair`,
      );
    }
    expect(block('pair', new Uint8Array(16), [{ at: 8, to }]).pointers).toHaveLength(1);
  });

  it('refuse a place outside the block', () => {
    const page = buffer('page', 16);
    for (const offset of [-1, 17, Number.NaN]) expect(() => place(page, offset)).toThrow(RangeError);
    expect(place(page, 16)).toEqual({ kind: 'place', block: page, offset: 16 });
  });
});

describe('slot()', () => {
  it('is named, not owned: two of a name are the same', () => {
    expect(slot('fd')).toEqual(slot('fd'));
  });
});
