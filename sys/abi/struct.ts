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

const alignUp = (n: number, alignment: number): number => Math.ceil(n / alignment) * alignment;

/** `size` is what the C compiler says; a table that does not add up to it fails when it is first used. */
export class Struct<F extends Fields> {
  readonly name: string;
  readonly size: number;
  readonly #fields: F;
  #offsets: { readonly [K in keyof F]: number } | undefined;

  constructor(name: string, size: number, fields: F) {
    this.name = name;
    this.size = size;
    this.#fields = fields;
  }

  get offsets(): { readonly [K in keyof F]: number } {
    this.#offsets ??= this.#layOut();
    return this.#offsets;
  }

  #layOut(): { readonly [K in keyof F]: number } {
    const offsets = {} as Record<keyof F, number>;
    let end = 0;
    let alignment = 1;
    for (const field in this.#fields) {
      const { size } = this.#type(field);
      offsets[field] = alignUp(end, size);
      end = offsets[field] + size;
      alignment = Math.max(alignment, size);
    }
    // Not node:assert, which takes 3 ms to load.
    const sum = alignUp(end, alignment);
    if (sum === this.size) return offsets;
    throw new Error(`sizeof(struct ${this.name}) is ${this.size}, but its fields take ${sum}`);
  }

  #type(field: keyof F): Scalar<number | bigint> {
    return this.#fields[field] as Scalar<number | bigint>;
  }

  /** Absent fields and padding are zero. */
  encode(values: Partial<Values<F>>): Uint8Array {
    const { offsets } = this;
    const bytes = new Uint8Array(this.size);
    const view = new DataView(bytes.buffer);
    for (const field in values) {
      const value = values[field];
      if (value !== undefined) this.#type(field).set(view, offsets[field], value);
    }
    return bytes;
  }

  decode(bytes: Uint8Array): Values<F> {
    const { offsets } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const values = {} as Record<keyof F, number | bigint>;
    for (const field in offsets) values[field] = this.#type(field).get(view, offsets[field]);
    return values as Values<F>;
  }
}

export const struct = <const F extends Fields>(name: string, size: number, fields: F): Struct<F> =>
  new Struct(name, size, fields);
