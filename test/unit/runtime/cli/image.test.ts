import { describe, expect, it } from 'vitest';
import { splitCommand } from '../../../../runtime/cli/commands.ts';
import { parsePlatform } from '../../../../runtime/cli/image/platform-option.ts';
import { progressText } from '../../../../runtime/cli/image/progress.ts';
import { defaultStore } from '../../../../runtime/cli/image/store-option.ts';

describe('splitCommand()', () => {
  // biome-ignore format: a table
  const CASES: [args: string[], name: string | undefined, rest: string[], group?: string][] = [
    [[],                          undefined,    []],
    [['run', 'a'],                'run',        ['a']],
    [['image'],                   undefined,    [],          'image'],
    [['image', '--help'],         undefined,    ['--help'],  'image'],
    [['image', 'ls', '-q'],       'image ls',   ['-q'],      'image'],
    [['run', 'image', 'ls'],      'run',        ['image', 'ls']],
  ];
  for (const [args, name, rest, group] of CASES) {
    it(`reads ${JSON.stringify(args)}`, () => {
      expect(splitCommand(args)).toEqual({ name, rest, ...(group !== undefined && { group }) });
    });
  }
});

describe('defaultStore()', () => {
  it('is the machine’s for root, and the user’s own for others', () => {
    expect(defaultStore(0, { XDG_DATA_HOME: '/data' })).toBe('/var/lib/hull');
    expect(defaultStore(7, { XDG_DATA_HOME: '/data', HOME: '/home/a' })).toBe('/data/hull');
    expect(defaultStore(7, { XDG_DATA_HOME: 'relative', HOME: '/home/a' })).toBe('/home/a/.local/share/hull');
    expect(defaultStore(7, { HOME: '/home/a' })).toBe('/home/a/.local/share/hull');
  });
});

describe('parsePlatform()', () => {
  it('reads what Docker reads', () => {
    expect(parsePlatform(undefined)).toBeUndefined();
    expect(parsePlatform('arm64')).toEqual({ os: 'linux', architecture: 'arm64' });
    expect(parsePlatform('linux/amd64')).toEqual({ os: 'linux', architecture: 'amd64' });
    expect(parsePlatform('linux/arm/v7')).toEqual({ os: 'linux', architecture: 'arm', variant: 'v7' });
  });

  for (const text of ['', '/', 'linux/', 'a/b/c/d', 'linux/a b']) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      expect(() => parsePlatform(text)).toThrow(/^invalid platform/));
  }
});

describe('progressText()', () => {
  it('counts bytes and layers', () => {
    const progress = { layers: 3, layersDone: 1, bytes: 2_000_000, bytesDone: 500_000 };
    expect(progressText('a', progress)).toBe('importing a: 25 %, 500 kB of 2.00 MB, layer 2 of 3');
    expect(progressText('a', { layers: 3, layersDone: 3, bytes: 0, bytesDone: 0 })).toContain(
      '100 %, 0 B of 0 B, layer 3 of 3',
    );
  });
});
