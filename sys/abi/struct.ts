// C structs as tables: fields in the header's order, offsets by the C rules of natural alignment.

export interface Scalar<T> {
  readonly size: number;
  get(view: DataView, offset: number): T;
  set(view: DataView, offset: number, value: T): void;
}

export const u16: Scalar<number> = {
  size: 2,
  get: (view, offset) => view.getUint16(offset, true),
  set: (view, offset, value) => view.setUint16(offset, value, true),
};
export const u32: Scalar<number> = {
  size: 4,
  get: (view, offset) => view.getUint32(offset, true),
  set: (view, offset, value) => view.setUint32(offset, value, true),
};
export const i32: Scalar<number> = {
  size: 4,
  get: (view, offset) => view.getInt32(offset, true),
  set: (view, offset, value) => view.setInt32(offset, value, true),
};
export const u64: Scalar<bigint> = {
  size: 8,
  get: (view, offset) => view.getBigUint64(offset, true),
  set: (view, offset, value) => view.setBigUint64(offset, BigInt.asUintN(64, value), true),
};
export const i64: Scalar<bigint> = {
  size: 8,
  get: (view, offset) => view.getBigInt64(offset, true),
  set: (view, offset, value) => view.setBigInt64(offset, value, true),
};

type Fields = Readonly<Record<string, Scalar<number> | Scalar<bigint>>>;
type Value<S> = S extends Scalar<infer T> ? T : never;
type Values<F extends Fields> = { readonly [K in keyof F]: Value<F[K]> };

export interface Struct<F extends Fields> {
  readonly name: string;
  readonly size: number;
  readonly offsets: { readonly [K in keyof F]: number };
  /** Absent fields and padding are zero. */
  encode(values: Partial<Values<F>>): Uint8Array;
  decode(bytes: Uint8Array): Values<F>;
}

const alignUp = (n: number, alignment: number): number => Math.ceil(n / alignment) * alignment;

/** `size` is what the C compiler says; a table that does not add up to it fails when its module loads. */
export function struct<const F extends Fields>(name: string, size: number, fields: F): Struct<F> {
  // Every command makes every struct, in cold code: taking entries apart with [,] would double what that takes.
  const names = Object.keys(fields) as (keyof F & string)[];
  const offsets = {} as Record<keyof F, number>;
  let end = 0;
  let alignment = 1;
  for (let i = 0; i < names.length; i++) {
    const field = names[i] as keyof F;
    const bytes = fields[field]?.size ?? 0;
    offsets[field] = alignUp(end, bytes);
    end = offsets[field] + bytes;
    if (bytes > alignment) alignment = bytes;
  }
  const sum = alignUp(end, alignment);
  if (sum !== size) throw new Error(`sizeof(struct ${name}) is ${size}, but its fields take ${sum}`);
  return {
    name,
    size,
    offsets,
    encode(values) {
      const bytes = new Uint8Array(size);
      const view = new DataView(bytes.buffer);
      for (const field of names) {
        const value = values[field];
        if (value !== undefined) (fields[field] as Scalar<typeof value>).set(view, offsets[field], value);
      }
      return bytes;
    },
    decode(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const values = {} as Record<keyof F, number | bigint>;
      for (const field of names)
        values[field] = (fields[field] as Scalar<number | bigint>).get(view, offsets[field]);
      return values as Values<F>;
    },
  };
}
