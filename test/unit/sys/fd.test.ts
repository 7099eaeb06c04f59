import { closeSync, fstatSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Fd } from '../../../sys/fd.ts';

const isOpen = (number: number): boolean => {
  try {
    fstatSync(number);
    return true;
  } catch {
    return false;
  }
};

describe('Fd', () => {
  it('closes when its scope ends, by an error too', () => {
    let number = -1;
    expect(() => {
      using fd = new Fd(openSync('/', 'r'));
      number = fd.number;
      expect(isOpen(number)).toBe(true);
      throw new Error('early');
    }).toThrow('early');
    expect(isOpen(number)).toBe(false);
  });

  it("closes once: a second time could close another owner's descriptor", () => {
    const fd = new Fd(openSync('/', 'r'));
    const { number } = fd;
    fd[Symbol.dispose]();
    const other = openSync('/', 'r');
    try {
      expect(other).toBe(number);
      fd[Symbol.dispose]();
      expect(isOpen(other)).toBe(true);
    } finally {
      closeSync(other);
    }
  });

  it('leaves open what was released', () => {
    const fd = new Fd(openSync('/', 'r'));
    const number = fd.release();
    fd[Symbol.dispose]();
    expect(isOpen(number)).toBe(true);
    closeSync(number);
  });

  it('refuses to be used afterwards', () => {
    const closed = new Fd(openSync('/', 'r'));
    closed[Symbol.dispose]();
    expect(() => closed.number).toThrow('use of a closed descriptor');
    expect(() => closed.release()).toThrow('use of a closed descriptor');
  });

  it('refuses what is no descriptor', () => {
    for (const wrong of [-1, -9, 0.5, Number.NaN]) expect(() => new Fd(wrong)).toThrow('not a descriptor');
    expect(new Fd(0).release()).toBe(0);
  });
});
