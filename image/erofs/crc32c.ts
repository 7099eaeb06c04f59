// The checksum of EROFS super blocks: CRC-32C without the final inversion, as the kernel's crc32c(~0, …) leaves it.

/** Castagnoli's polynomial, reflected. */
const POLYNOMIAL = 0x82f63b78;

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : POLYNOMIAL);
  }
  return crc >>> 0;
}
