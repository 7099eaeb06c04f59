import { describe, expect, it } from 'vitest';
import { open_how } from '../../../../sys/abi/structs.ts';
import { printProgram } from '../../../../sys/plan/print.ts';
import {
  addressOf,
  block,
  cString,
  flags,
  type Operand,
  Program,
  place,
  slot,
  stringVector,
} from '../../../../sys/plan/program.ts';

const texts = (p: Program): string[] => printProgram(p).map(({ text }) => text);

describe('printProgram()', () => {
  it('prints one line a step, arguments by name', () => {
    const p = new Program();
    const [root, size] = [slot('root'), slot('size')];
    const how = block('open_how', open_how.encode({ flags: 0o10000000n, resolve: 0x12n }));
    p.mark('again');
    p.call('open "/proc"', 'openat2', [root, cString('proc'), how, 24], { into: slot('fd:/proc') });
    p.call('execute', 'execve', [cString('/bin/sh'), stringVector(['sh']), stringVector([])], {
      ignore: ['ENOENT'],
      on: { EACCES: 'again', any: 'end' },
    });
    p.call('open', 'openat', [-100, cString('a\n'), flags(0o2000000, 'O_CLOEXEC'), 0]);
    p.branch('is it', root, 'equal', 0, 'again');
    p.branch('is it not', root, 'notEqual', 0, 'again');
    p.branch('unsigned', size, 'below', 4096, 'end');
    p.branch('signed', size, 'less', 0, 'end');
    p.goTo('end');
    p.set('move', size, 5);
    p.set('add', size, size, 'add', 1);
    p.set('subtract', size, size, 'subtract', root);
    p.set('and', size, size, 'and', 0xff);
    p.set('or', size, size, 'or', 1n << 40n);
    p.load('load', size, 2, place(how, 8));
    p.store('store', 8, addressOf(size), root);
    p.report('ready', root);
    p.mark('end');
    p.fail('give up', 'EPROTO');
    expect(texts(p)).toEqual([
      'openat2(root, "proc", {flags=O_PATH, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24) → fd:/proc',
      'execve("/bin/sh", ["sh"], []); ENOENT is fine; on EACCES go to 0; on any go to 16',
      'openat(AT_FDCWD, "a\\n", O_CLOEXEC)',
      'if root == 0 go to 0',
      'if root != 0 go to 0',
      'if size <u 4096 go to 16',
      'if size < 0 go to 16',
      'go to 16',
      'size = 5',
      'size = size + 1',
      'size = size - root',
      'size = size & 255',
      'size = size | 0x10000000000',
      'size = u16 at &open_how+8',
      'u64 at &size = root',
      'report root',
      'fail with EPROTO',
    ]);
  });

  // biome-ignore format: a table
  const NUMBERS: [operand: Operand, text: string][] = [
    [0, '0'], [-1, '-1'], [65535, '65535'], [65536, '0x10000'], [-65536, '-0x10000'],
    [0n, '0x0'], [1n << 63n, '0x8000000000000000'], [-16n, '-0x10'],
  ];
  for (const [operand, text] of NUMBERS) {
    it(`prints ${String(operand)}${typeof operand === 'bigint' ? 'n' : ''} as ${text}`, () => {
      const p = new Program();
      p.report('number', operand);
      expect(texts(p)).toEqual([`report ${text}`]);
    });
  }

  it('prints a comparison of a value with itself as a jump only where it always holds', () => {
    const p = new Program();
    const fd = slot('fd');
    p.mark('here');
    p.branch('always', fd, 'equal', fd, 'here');
    p.branch('never', fd, 'notEqual', fd, 'here');
    expect(texts(p)).toEqual(['go to 0', 'if fd != fd go to 0']);
  });

  it('gives each step its label', () => {
    const p = new Program();
    p.report('ready', 1);
    p.goTo('end');
    p.mark('end');
    expect(printProgram(p).map(({ label }) => label)).toEqual(['ready', 'go on']);
  });
});
