import { describe, expect, it } from 'vitest';
import { formatBytes, formatTable } from '../../../../runtime/cli/table.ts';

const ROWS = [
  ['NAME', 'LAYERS', 'SIZE'],
  ['registry.example.com/team/service:2026.11', '3', '1.25 MB'],
  ['busybox:1', '12', '999 kB'],
];

describe('formatTable()', () => {
  it('lines columns up, numbers at their ends', () => {
    expect(formatTable(ROWS, { alignRight: [1, 2] })).toBe(
      [
        'NAME                                       LAYERS     SIZE',
        'registry.example.com/team/service:2026.11       3  1.25 MB',
        'busybox:1                                      12   999 kB',
        '',
      ].join('\n'),
    );
  });

  it('shortens the first column where a line would not fit, and keeps both its ends', () => {
    expect(formatTable(ROWS, { alignRight: [1, 2], columns: 40 })).toBe(
      [
        'NAME                     LAYERS     SIZE',
        'registry.ex…ice:2026.11       3  1.25 MB',
        'busybox:1                    12   999 kB',
        '',
      ].join('\n'),
    );
  });

  it('never shortens beyond recognition', () => {
    const [, line = ''] = formatTable(ROWS, { columns: 5 }).split('\n');
    expect(line.split('  ')[0]).toHaveLength(12);
  });
});

describe('formatBytes()', () => {
  // biome-ignore format: a table
  const CASES: [bytes: number, text: string][] = [
    [0, '0 B'], [999, '999 B'], [1000, '1.00 kB'], [12_345, '12.3 kB'], [999_499, '999 kB'], [999_500, '1.00 MB'],
    [330_000_000, '330 MB'], [1.5e9, '1.50 GB'], [5e15, '5.00e+3 TB'],
  ];
  for (const [bytes, text] of CASES)
    it(`writes ${bytes} as ${text}`, () => expect(formatBytes(bytes)).toBe(text));
});
