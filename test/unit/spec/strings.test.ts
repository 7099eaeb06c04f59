import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSpecError, Report } from '../../../spec/spec-error.ts';
import { checkStrings } from '../../../spec/strings.ts';
import { edited, places } from '../../support/edit-document.ts';
import { FULL_CONFIG } from '../../support/full-config.ts';

function complaints(value: unknown): readonly string[] {
  const report = new Report();
  checkStrings(value, report);
  return report.errors.map(formatSpecError);
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

describe('checkStrings()', () => {
  it('says nothing of a sound document', () => {
    expect(complaints(FULL_CONFIG)).toEqual([]);
    expect(complaints({ a: ['é', '\u{1f600}', '\n', 1, null, true, 1n], '': {} })).toEqual([]);
  });

  it('finds a NUL and half a character in any string and any key', () => {
    expect(complaints({ unknown: [{ deep: 'a\0' }], 'k\0': 1, '\udc00': '\ud800x' })).toEqual([
      '$.unknown[0].deep: must not contain a NUL byte',
      '$["k\\u0000"]: must not have a NUL byte or half a character in its name',
      '$["\\udc00"]: must not have a NUL byte or half a character in its name',
      '$["\\udc00"]: must be valid Unicode',
    ]);
    expect(complaints('\0')).toEqual(['$: must not contain a NUL byte']);
  });

  it('finds a NUL put anywhere into a configuration, at its place', () => {
    const texts = [...places(FULL_CONFIG)].filter(
      (place): place is [string, string] => typeof place[1] === 'string',
    );
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.nat(), ([path, text], position) => {
        const at = position % (text.length + 1);
        const changed = edited(FULL_CONFIG, path, `${text.slice(0, at)}\0${text.slice(at)}`);
        expect(complaints(changed)).toEqual([`${path}: must not contain a NUL byte`]);
      }),
    );
  });

  it('ends on values that are deeper than any document', () => {
    expect(complaints(nested(64))).toEqual([]);
    expect(complaints(nested(65))).toEqual([`$${'[0]'.repeat(64)}: nests deeper than 64 levels`]);
    const loop: unknown[] = [];
    loop.push(loop);
    expect(complaints(loop)).toEqual([`$${'[0]'.repeat(64)}: nests deeper than 64 levels`]);
  });
});
