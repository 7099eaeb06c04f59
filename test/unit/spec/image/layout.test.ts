import { describe, expect, it } from 'vitest';
import { ImageError } from '../../../../spec/image/document.ts';
import { parseLayout } from '../../../../spec/image/layout.ts';

describe('parseLayout()', () => {
  it('knows version 1.0.0, whatever else the file holds', () => {
    expect(parseLayout('{"imageLayoutVersion":"1.0.0"}')).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(parseLayout('{"imageLayoutVersion":"1.0.0","x":1}\n').imageLayoutVersion).toBe('1.0.0');
  });

  it('refuses every other one', () => {
    const rule = '$.imageLayoutVersion: must be one of "1.0.0"';
    for (const version of ['"2.0.0"', '"1.0"', '1', '""']) {
      const text = `{"imageLayoutVersion":${version}}`;
      expect(() => parseLayout(text)).toThrow(rule);
      expect(() => parseLayout(text)).toThrow(ImageError);
    }
    expect(() => parseLayout('{}')).toThrow('$.imageLayoutVersion: is required');
    expect(() => parseLayout('')).toThrow(/^\$: is not valid JSON: /);
  });
});
