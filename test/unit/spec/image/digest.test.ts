import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDigest, parseDigest } from '../../../../spec/image/digest.ts';

const HEX_64 = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';

// biome-ignore format: a table
const REFUSED = [
  '', ':', 'sha256', 'sha256:', HEX_64, `sha256:${HEX_64.slice(1)}`, `sha256:${HEX_64}0`, `sha256:${HEX_64.toUpperCase()}`,
  `SHA256:${HEX_64}`, `sha512:${HEX_64}`, `sha384:${HEX_64}${HEX_64.slice(0, 32)}`, `md5:${HEX_64.slice(0, 32)}`, ` sha256:${HEX_64}`,
  `sha256:${HEX_64}\n`, `sha256:../../../etc/passwd`, `sha256:${'../'.repeat(20)}etc0`, `sha256:${HEX_64.slice(0, 63)}/`, `sha256+b64:${HEX_64}`,
  `sha256::${HEX_64}`, `sha256:${HEX_64}:${HEX_64}`, `../sha256:${HEX_64}`, `sha256:${HEX_64.slice(0, 63)}g`,
];

describe('parseDigest()', () => {
  it('knows the registered algorithms', () => {
    expect(parseDigest(`sha256:${HEX_64}`)).toEqual({ algorithm: 'sha256', hex: HEX_64 });
    expect(parseDigest(`sha512:${HEX_64}${HEX_64}`)).toEqual({ algorithm: 'sha512', hex: HEX_64 + HEX_64 });
    expect(parseDigest(`blake3:${HEX_64}`)).toEqual({ algorithm: 'blake3', hex: HEX_64 });
  });

  for (const text of REFUSED) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(parseDigest(text)).toBeUndefined();
    });
  }

  it('gives back what formatDigest() wrote, and never a part that leads out of a directory', () => {
    const pieces = fc.array(fc.constantFrom('sha256', 'sha512', ':', HEX_64, '/', '..', 'A', '\n'), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(pieces, (parts) => {
        const digest = parseDigest(parts.join(''));
        if (digest === undefined) return;
        expect(formatDigest(digest)).toBe(parts.join(''));
        expect(`${digest.algorithm}/${digest.hex}`).toMatch(/^[a-z0-9]+\/[0-9a-f]+$/);
      }),
    );
  });
});
