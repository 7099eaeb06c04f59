// struct termios as the kernel has it (36 bytes), and its flags. Source: asm-generic/termbits.h.
export const TCGETS = 0x5401;
export const TCSETS = 0x5402;
export const TERMIOS_BYTES = 36;
const OFFSETS = { c_iflag: 0, c_oflag: 4, c_cflag: 8, c_lflag: 12 } as const;

// biome-ignore format: a table
const IGNBRK = 0o1, BRKINT = 0o2, PARMRK = 0o10, ISTRIP = 0o40, INLCR = 0o100, IGNCR = 0o200, ICRNL = 0o400, IXON = 0o2000;
const OPOST = 0o1;
// biome-ignore format: a table
const CSIZE = 0o60, CS8 = 0o60, PARENB = 0o400;
// biome-ignore format: a table
const ISIG = 0o1, ICANON = 0o2, ECHO = 0o10, ECHONL = 0o100, IEXTEN = 0o100000;

/** What cfmakeraw(3) makes of the settings: every byte passes as it is, both ways. */
export function rawTermios(settings: Uint8Array): Uint8Array {
  const raw = Uint8Array.from(settings);
  const view = new DataView(raw.buffer);
  const change = (offset: number, clear: number, set = 0): void =>
    view.setUint32(offset, (view.getUint32(offset, true) & ~clear) | set, true);
  change(OFFSETS.c_iflag, IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  change(OFFSETS.c_oflag, OPOST);
  change(OFFSETS.c_cflag, CSIZE | PARENB, CS8);
  change(OFFSETS.c_lflag, ISIG | ICANON | ECHO | ECHONL | IEXTEN);
  return raw;
}
