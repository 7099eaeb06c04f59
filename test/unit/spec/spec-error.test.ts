import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DocumentError,
  formatSpecError,
  memberPath,
  printable,
  quote,
  Report,
  SPEC_ERRORS_MAX,
} from '../../../spec/spec-error.ts';
import { parsePath } from '../../support/edit-document.ts';

describe('formatSpecError()', () => {
  it('prints the path and the rule', () => {
    const error = { path: '$.process.cwd', rule: 'must be an absolute path' };
    expect(formatSpecError(error)).toBe('$.process.cwd: must be an absolute path');
  });
});

describe('quote()', () => {
  // biome-ignore format: a table
  const CASES: readonly (readonly [text: string, quoted: string])[] = [
    ['',                 '""'],
    ['a "b" \\',         '"a \\"b\\" \\\\"'],
    ['a\n\u0000\u001b[', '"a\\n\\u0000\\u001b["'],
    ['\u007f\u009b\u2028', '"\\u007f\\u009b\\u2028"'],
    ['\u202etxt',        '"\\u202etxt"'],
    ['\ud800',           '"\\ud800"'],
    ['\u{e0001}',        '"\\udb40\\udc01"'],
    ['é漢',              '"é漢"'],
    ['a'.repeat(64),     `"${'a'.repeat(64)}"`],
    ['a'.repeat(65),     `"${'a'.repeat(64)}…"`],
  ];

  for (const [text, quoted] of CASES) {
    it(`makes ${quoted}`, () => {
      expect(quote(text)).toBe(quoted);
    });
  }

  it('always makes one short line that a terminal takes as text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        expect(quote(text)).toMatch(/^"[^\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]*"$/u);
        expect(printable(text)).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}]*$/u);
      }),
    );
  });
});

describe('memberPath()', () => {
  it('joins plain names with a dot and quotes the others', () => {
    expect(memberPath('$.linux', 'sysctl')).toBe('$.linux.sysctl');
    expect(memberPath('$', 'net.ipv4')).toBe('$["net.ipv4"]');
    expect(memberPath('$', '')).toBe('$[""]');
    expect(memberPath('$', '0')).toBe('$["0"]');
  });

  it('can be read back', () => {
    const key = fc.string({ maxLength: 20 }).filter((text) => JSON.stringify(text) === quote(text));
    fc.assert(
      fc.property(fc.array(key, { maxLength: 4 }), (keys) => {
        expect(parsePath(keys.reduce(memberPath, '$'))).toEqual(keys);
      }),
    );
  });
});

describe('Report', () => {
  it('keeps a thousand errors and says that there are more', () => {
    const report = new Report();
    for (let index = 0; index < SPEC_ERRORS_MAX; index += 1) report.add(`$[${index}]`, 'is wrong');
    expect(report.errors.length).toBe(SPEC_ERRORS_MAX);
    report.add('$[1000]', 'is wrong');
    report.add('$[1001]', 'is wrong');
    expect(report.errors.length).toBe(SPEC_ERRORS_MAX + 1);
    expect(report.errors.at(-1)).toEqual({ path: '$', rule: 'has more problems than the 1000 listed' });
  });

  it('knows which parts can be trusted', () => {
    const report = new Report();
    expect(report.isClean(['$'])).toBe(true);
    report.add('$.linux.uidMappings[0].size', 'is wrong');
    expect(report.isClean(['$.linux.uidMappings'])).toBe(false);
    expect(report.isClean(['$.linux.uidMappings[0].size'])).toBe(false);
    expect(report.isClean(['$.linux'])).toBe(false);
    expect(report.isClean(['$.linux.uid', '$.linux.uidMappings[1]', '$.process'])).toBe(true);
    report.add('$.process', 'is wrong');
    expect(report.isClean(['$.process.user'])).toBe(false);
  });
});

describe('DocumentError', () => {
  it('says the first problem, and how many more', () => {
    const problems = [
      { path: '$.a', rule: 'is wrong' },
      { path: '$.b', rule: 'is wrong' },
      { path: '$.c', rule: 'is wrong' },
    ];
    expect(new DocumentError(problems.slice(0, 1)).message).toBe('$.a: is wrong');
    expect(new DocumentError(problems).message).toBe('$.a: is wrong (and 2 more)');
    expect(new DocumentError(problems).problems).toEqual(problems);
  });
});
