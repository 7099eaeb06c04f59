// Zeroed memory, seen in units of 8, 16 and 32 bits, with 64-bit words written to it exactly.

export interface Words {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  /** Writes the word at byte `at`, a multiple of 4. @throws {RangeError} on what no 64 bits can hold */
  word(at: number, value: number | bigint): void;
}

export function words(byteLength: number): Words {
  const buffer = new ArrayBuffer(byteLength);
  const u32 = new Uint32Array(buffer);

  function word(at: number, value: number | bigint): void {
    if (typeof value === 'bigint') {
      const bits = unsigned(value);
      u32[at >> 2] = Number(bits & 0xffff_ffffn);
      u32[(at >> 2) + 1] = Number(bits >> 32n);
      return;
    }
    u32[at >> 2] = value;
    if (value >= 0 && value <= 0xffff_ffff && Number.isInteger(value)) {
      u32[(at >> 2) + 1] = 0;
      return;
    }
    // What a number cannot hold exactly would reach the kernel as another value.
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a 64-bit integer: ${value}`);
    u32[(at >> 2) + 1] = Math.floor(value / 0x1_0000_0000); // two's complement below zero too
  }

  return { u8: new Uint8Array(buffer), u16: new Uint16Array(buffer), u32, word };
}

function unsigned(value: bigint): bigint {
  const bits = BigInt.asUintN(64, value);
  if (bits !== value && BigInt.asIntN(64, value) !== value)
    throw new RangeError(`not a 64-bit integer: ${value}`);
  return bits;
}
