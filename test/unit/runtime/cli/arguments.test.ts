import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flagName, parsePlainArguments } from '../../../../runtime/cli/arguments.ts';
import type { OptionTable } from '../../../../runtime/cli/command.ts';
import { parseWithCommander, type Usage } from '../../../../runtime/cli/usage.ts';

const OPTIONS = {
  bundle: { type: 'string', short: 'b', value: 'dir', help: 'where config.json is' },
  pidFile: { type: 'string', value: 'file', help: 'gets the pid' },
  env: { type: 'list', short: 'e', value: 'NAME=value', help: 'a variable' },
  tty: { type: 'boolean', short: 't', help: 'a terminal' },
  noPivot: { type: 'boolean', help: 'no pivot_root' },
} as const satisfies OptionTable;

const USAGE: Usage = {
  name: 'hull exec',
  summary: 'run a command',
  operands: '<container-id> [command...]',
  options: OPTIONS,
  examples: [],
};

const NOTHING = { bundle: undefined, pidFile: undefined, env: [], tty: false, noPivot: false };

// biome-ignore format: a table
const PLAIN: [args: string[], options: object, operands: string[]][] = [
  [[],                                        {},                          []],
  [['ctr'],                                   {},                          ['ctr']],
  [['-b', '/x', 'ctr'],                       { bundle: '/x' },            ['ctr']],
  [['--bundle=/x', 'ctr'],                    { bundle: '/x' },            ['ctr']],
  [['--bundle', '/x', '--bundle', '/y'],      { bundle: '/y' },            []],          // the last one wins
  [['-bundle', '/x', '-no-pivot'],            { bundle: '/x', noPivot: true }, []],      // as go-runc writes them
  [['--pid-file', '-'],                       { pidFile: '-' },            []],
  [['--pid-file', '--tty'],                   { pidFile: '--tty' },        []],          // a value is a value
  [['--bundle='],                             { bundle: '' },              []],
  [['-e', 'A=1', '--env', 'B=2,C=3'],         { env: ['A=1', 'B=2,C=3'] }, []],          // a comma separates nothing
  [['ctr', 'ls', '-la', '--tty'],             {},                          ['ctr', 'ls', '-la', '--tty']],
  [['-t', '--', '-b', 'x'],                   { tty: true },               ['-b', 'x']],
  [['--tty=true'],                            { tty: true },               []],
  [['--tty', '--tty=false'],                  {},                          []],
  [['-', '-t'],                               {},                          ['-', '-t']],
  [['', '-t'],                                {},                          ['', '-t']],
];

describe('parsePlainArguments()', () => {
  for (const [args, options, operands] of PLAIN) {
    it(`reads ${JSON.stringify(args)}`, () => {
      expect(parsePlainArguments(OPTIONS, args)).toEqual({ options: { ...NOTHING, ...options }, operands });
    });
  }

  const NOT_PLAIN = [['--nope'], ['-tb', '/x'], ['-b'], ['--tty=maybe'], ['-1'], ['--constructor']];
  for (const args of NOT_PLAIN) {
    it(`leaves ${JSON.stringify(args)} to commander`, () => {
      expect(parsePlainArguments(OPTIONS, args)).toBeUndefined();
    });
  }

  it('agrees with commander about every command line that it reads', () => {
    const words = [
      '-b',
      '--bundle',
      '-bundle',
      '--bundle=x',
      '-e',
      '--env',
      '-t',
      '--tty',
      '--tty=false',
      '--tty=1',
    ];
    const more = [
      '--no-pivot',
      '-no-pivot',
      '--pid-file',
      '--',
      '-',
      '',
      'ctr',
      'a b',
      '-1',
      '-tb',
      '--nope',
      '--tty=x',
    ];
    const args = fc.array(fc.constantFrom(...words, ...more), { maxLength: 8 });
    let compared = 0;
    fc.assert(
      fc.property(args, (line) => {
        const plain = parsePlainArguments(OPTIONS, line);
        if (plain === undefined) return;
        compared += 1;
        expect(parseWithCommander(USAGE, line)).toEqual(plain);
      }),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(50);
  });
});

describe('parseWithCommander()', () => {
  it('reads single letters together', () => {
    const { options, operands } = parseWithCommander(USAGE, ['-tb', '/x', 'ctr', '-e']);
    expect(options).toEqual({ ...NOTHING, tty: true, bundle: '/x' });
    expect(operands).toEqual(['ctr', '-e']);
  });

  // biome-ignore format: a table
  const REFUSED: [args: string[], message: string, hint: string][] = [
    [['--ttty'],      "hull exec: unknown option '--ttty'",                     'Did you mean --tty?'],
    [['--zzzzzz'],    "hull exec: unknown option '--zzzzzz'",                   'try "hull exec --help"'],
    [['-b'],          "hull exec: option '-b, --bundle <dir>' argument missing", 'try "hull exec --help"'],
    [['--tty=maybe'], "hull exec: unknown option '--tty=maybe'",                'try "hull exec --help"'],
  ];
  for (const [args, message, hint] of REFUSED) {
    it(`refuses ${JSON.stringify(args)} and says why`, () => {
      expect(() => parseWithCommander(USAGE, args)).toThrow(expect.objectContaining({ message, hint }));
    });
  }
});

describe('flagName()', () => {
  it('separates the words of a key', () => {
    expect(['pidFile', 'l3CacheSchema', 'tty'].map(flagName)).toEqual(['pid-file', 'l3-cache-schema', 'tty']);
  });
});
