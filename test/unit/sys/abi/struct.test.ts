import { describe, expect, it } from 'vitest';
import { i32, i64, struct, u16, u32, u64 } from '../../../../sys/abi/struct.ts';
import { open_how } from '../../../../sys/abi/structs.ts';

const mixed = struct('mixed', 40, { a: u16, b: u64, c: i32, d: i64, e: u32 });

describe('struct()', () => {
  it('lays fields out by the C rules of natural alignment', () => {
    expect(mixed.offsets).toEqual({ a: 0, b: 8, c: 16, d: 24, e: 32 });
  });

  it('refuses a size that the fields do not add up to', () => {
    expect(() => struct('wrong', 12, { a: u64, b: u32 }).encode({})).toThrow(
      'sizeof(struct wrong) is 12, but its fields take 16',
    );
  });

  it('encodes little endian, with zeros in padding and absent fields', () => {
    const bytes = mixed.encode({ a: 0x1234, c: -2, d: -3n });
    expect(Buffer.from(bytes).toString('hex')).toBe(
      `3412${'00'.repeat(14)}feffffff${'00'.repeat(4)}fd${'ff'.repeat(7)}${'00'.repeat(8)}`,
    );
  });

  it('decodes what it encoded, from the middle of a buffer too', () => {
    const values = { a: 65535, b: (1n << 64n) - 1n, c: -1, d: -(1n << 63n), e: 0xffffffff };
    const bytes = new Uint8Array(48);
    bytes.set(mixed.encode(values), 5);
    expect(mixed.decode(bytes.subarray(5, 45))).toEqual(values);
  });

  it('refuses to decode what is too short', () => {
    expect(() => open_how.decode(new Uint8Array(23))).toThrow(RangeError);
    expect(open_how.decode(new Uint8Array(24))).toEqual({ flags: 0n, mode: 0n, resolve: 0n });
  });
});
