import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatLogLine, Log, parseLogFormat } from '../../../runtime/log.ts';

const TIME = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678));

describe('formatLogLine()', () => {
  // What logrus 1.9 prints, but for its time, which has no milliseconds.
  // biome-ignore format: a table
  const TEXT: [message: string, value: string][] = [
    ['plain',                    'plain'],
    ['a/b-c_d.e@f^g+h',          'a/b-c_d.e@f^g+h'],
    ['two words',                '"two words"'],
    ['say "no"',                 '"say \\"no\\""'],
    ['one\ntwo\ttab',            '"one\\ntwo\\ttab"'],
    ['bell \u0007 and \u001b[31m', '"bell \\a and \\x1b[31m"'],
    ['back\\slash',              '"back\\\\slash"'],
    ['naïve',                    '"naïve"'],
    ['',                         ''],
  ];
  for (const [message, value] of TEXT) {
    it(`writes ${JSON.stringify(message)} as text`, () => {
      const line = `time="2026-01-02T03:04:05.678Z" level=error msg=${value}\n`;
      expect(formatLogLine('text', 'error', message, TIME)).toBe(line);
    });
  }

  it('writes JSON with its keys in order and HTML escaped, as Go does', () => {
    const line =
      '{"level":"warning","msg":"\\u003ca\\u003e \\u0026 \\"b\\"","time":"2026-01-02T03:04:05.678Z"}\n';
    expect(formatLogLine('json', 'warning', '<a> & "b"', TIME)).toBe(line);
  });

  it('never lets a message add a line', () => {
    const format = fc.constantFrom('text' as const, 'json' as const);
    fc.assert(
      fc.property(format, fc.string({ unit: 'binary' }), (form, message) => {
        const line = formatLogLine(form, 'info', message, TIME);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        if (form === 'json') expect(JSON.parse(line)).toMatchObject({ msg: message });
      }),
    );
  });
});

describe('parseLogFormat()', () => {
  it('takes text and json', () => {
    expect([parseLogFormat('text'), parseLogFormat('json')]).toEqual(['text', 'json']);
  });

  it("refuses another in runc's words", () => {
    expect(() => parseLogFormat('xml')).toThrow(/^invalid log-format: xml$/);
  });
});

describe('Log', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'hull-log-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('appends to its file', () => {
    const path = join(directory, 'existing');
    writeFileSync(path, 'before\n');
    using log = new Log({ path, format: 'json', debug: false });
    log.warning('something');
    const [first, second] = readFileSync(path, 'utf8').split('\n');
    expect(first).toBe('before');
    expect(JSON.parse(second ?? '')).toMatchObject({ level: 'warning', msg: 'something' });
  });

  it('makes its file with mode 0644', () => {
    const path = join(directory, 'new');
    using log = new Log({ path, format: 'text', debug: false });
    log.info('x');
    expect(statSync(path).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  it('leaves debug lines out unless they are asked for', () => {
    const path = join(directory, 'levels');
    using quiet = new Log({ path, format: 'text', debug: false });
    quiet.debug('hidden');
    using loud = new Log({ path, format: 'text', debug: true });
    loud.debug('shown');
    expect(readFileSync(path, 'utf8')).toMatch(/^time=\S+ level=debug msg=shown\n$/);
  });

  it('says which file it cannot open', () => {
    const open = () => new Log({ path: join(directory, 'no/such'), format: 'text', debug: false });
    expect(open).toThrow(`cannot open the log file "${directory}/no/such"`);
  });
});
