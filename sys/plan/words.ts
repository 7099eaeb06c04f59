// 64-bit words in memory that is seen in units of 8, 16 and 32 bits too. Every machine of ours is little endian.

/** A word as two's complement has it: a number where that is exact, which is the faster kind, else a bigint. */
export type Word = number | bigint;

const TWO_TO_32 = 0x1_0000_0000;
/** Numbers are exact for words whose upper half is above the one and below the other. */
const HIGH_MIN = -0x1f_ffff;
const HIGH_END = 0x20_0000;

/** The word with the low 64 bits of `value`. */
export function toWord(value: bigint): Word {
  const signed = BigInt.asIntN(64, value);
  const number = Number(signed);
  return isExact(number) ? number : signed;
}

export const isExact = (value: number): boolean =>
  value >= HIGH_MIN * TWO_TO_32 && value < HIGH_END * TWO_TO_32;

export interface Words {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  /** The word at byte `at`, a multiple of 4. */
  get(at: number): Word;
  /** @throws {RangeError} on what no 64 bits can hold */
  set(at: number, value: number | bigint): void;
}

/** Over `byteLength` bytes of `buffer`; they begin at a multiple of 4. */
export function words(buffer: ArrayBufferLike, byteOffset: number, byteLength: number): Words {
  const u32 = new Uint32Array(buffer, byteOffset, byteLength >> 2);
  const u8 = new Uint8Array(buffer, byteOffset, byteLength);
  const u16 = new Uint16Array(buffer, byteOffset, byteLength >> 1);

  function get(at: number): Word {
    const low = u32[at >> 2] as number;
    const high = (u32[(at >> 2) + 1] as number) | 0;
    if (high >= HIGH_MIN && high < HIGH_END) return high * TWO_TO_32 + low;
    return (BigInt(high) << 32n) + BigInt(low);
  }

  function set(at: number, value: number | bigint): void {
    if (typeof value === 'bigint') {
      const bits = unsigned(value);
      u32[at >> 2] = Number(bits & 0xffff_ffffn);
      u32[(at >> 2) + 1] = Number(bits >> 32n);
      return;
    }
    u32[at >> 2] = value;
    if (value >= 0 && value < TWO_TO_32 && Number.isInteger(value)) {
      u32[(at >> 2) + 1] = 0;
      return;
    }
    // What a number cannot hold exactly would reach the kernel as another value.
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a 64-bit integer: ${value}`);
    u32[(at >> 2) + 1] = Math.floor(value / TWO_TO_32); // two's complement below zero too
  }

  return { u8, u16, u32, get, set };
}

function unsigned(value: bigint): bigint {
  const bits = BigInt.asUintN(64, value);
  if (bits !== value && BigInt.asIntN(64, value) !== value)
    throw new RangeError(`not a 64-bit integer: ${value}`);
  return bits;
}
