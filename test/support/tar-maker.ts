// Makes tar archives byte by byte: nothing is checked, so hostile ones are as easy as good ones. Text is one byte a
// character ("latin1").

export const BLOCK = 512;

export interface HeaderFields {
  name?: string;
  mode?: number | string;
  uid?: number | string;
  gid?: number | string;
  /** A number as octal digits; a string or bytes as they stand. */
  size?: number | string | Buffer;
  mtime?: number | string | Buffer;
  typeflag?: string;
  linkName?: string;
  magic?: string;
  prefix?: string;
  devMajor?: number | string | Buffer;
  devMinor?: number | string | Buffer;
  /** Written over the block, by offset, before the checksum is taken. */
  patch?: Readonly<Record<number, string | Buffer>>;
  checksum?: 'unsigned' | 'signed' | string;
}

const USTAR = 'ustar\x0000';
export const GNU = 'ustar  \0';
export const V7 = '\0\0\0\0\0\0\0\0';

/** One header block. */
export function header(fields: HeaderFields = {}): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (at: number, value: string | Buffer): void => {
    Buffer.from(value as string, 'latin1').copy(block, at);
  };
  put(0, (fields.name ?? 'file').slice(0, 100));
  put(100, numeric(fields.mode ?? 0o644, 8));
  put(108, numeric(fields.uid ?? 0, 8));
  put(116, numeric(fields.gid ?? 0, 8));
  put(124, numeric(fields.size ?? 0, 12));
  put(136, numeric(fields.mtime ?? 0, 12));
  put(156, fields.typeflag ?? '0');
  put(157, (fields.linkName ?? '').slice(0, 100));
  put(257, fields.magic ?? USTAR);
  put(329, numeric(fields.devMajor ?? 0, 8));
  put(337, numeric(fields.devMinor ?? 0, 8));
  put(345, fields.prefix ?? '');
  for (const [at, bytes] of Object.entries(fields.patch ?? {})) put(Number(at), bytes);
  return withChecksum(block, fields.checksum ?? 'unsigned');
}

function withChecksum(block: Buffer, checksum: string): Buffer {
  block.fill(' ', 148, 156);
  const signed = checksum === 'signed';
  let sum = 0;
  for (const byte of block) sum += signed ? (byte << 24) >> 24 : byte;
  const isComputed = signed || checksum === 'unsigned';
  block.write(isComputed ? `${sum.toString(8).padStart(6, '0')}\0 ` : checksum, 148, 8, 'latin1');
  return block;
}

function numeric(value: number | string | Buffer, width: number): string | Buffer {
  return typeof value === 'number' ? `${value.toString(8).padStart(width - 1, '0')}\0` : value;
}

/** Base-256: two's complement, the first bit set. */
export function base256(value: bigint, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  let rest = value;
  for (let at = width - 1; at >= 0; at--) {
    bytes[at] = Number(BigInt.asUintN(8, rest));
    rest >>= 8n;
  }
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

/** Content followed by zeros up to the next block. */
export function padded(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string, 'latin1');
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

export interface EntryFields extends HeaderFields {
  content?: string | Buffer;
  /** Records of an extended header before the entry, in order. */
  pax?: readonly (readonly [key: string, value: string | Buffer])[];
}

/** A header and its content; whatever does not fit in the header is put where the caller says, with `pax`. */
export function entry(name: string, fields: EntryFields = {}): Buffer {
  const content = Buffer.from((fields.content ?? '') as string, 'latin1');
  const parts = fields.pax === undefined ? [] : [pax(fields.pax)];
  return Buffer.concat([...parts, header({ name, size: content.length, ...fields }), padded(content)]);
}

export const file = (name: string, content: string | Buffer = '', fields: EntryFields = {}): Buffer =>
  entry(name, { ...fields, content });
export const directory = (name: string, fields: EntryFields = {}): Buffer =>
  entry(name, { mode: 0o755, typeflag: '5', ...fields });
export const symlink = (name: string, linkName: string, fields: EntryFields = {}): Buffer =>
  entry(name, { mode: 0o777, typeflag: '2', linkName, ...fields });
export const hardlink = (name: string, linkName: string, fields: EntryFields = {}): Buffer =>
  entry(name, { typeflag: '1', linkName, ...fields });

/** An extended header with these records. */
export function pax(
  records: readonly (readonly [key: string, value: string | Buffer])[],
  typeflag = 'x',
): Buffer {
  return extended(typeflag, Buffer.concat(records.map(([key, value]) => paxRecord(key, value))));
}

export function extended(typeflag: string, body: string | Buffer, fields: HeaderFields = {}): Buffer {
  const bytes = Buffer.from(body as string, 'latin1');
  return Buffer.concat([
    header({ name: '././@Header', typeflag, size: bytes.length, ...fields }),
    padded(bytes),
  ]);
}

export function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([
    Buffer.from(` ${key}=`, 'latin1'),
    Buffer.from(value as string, 'latin1'),
    Buffer.from('\n'),
  ]);
  let length = rest.length + 1;
  while (String(length).length + rest.length > length) length++;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** The parts, and the two zero blocks of the end. */
export function archive(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}
