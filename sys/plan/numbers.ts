// How numbers and structs of the kernel's interface read: by the kernel's own names.
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT, S_IFREG } from '../abi/constants.ts';

export type Show = (value: number | bigint) => string;

export const hex: Show = (value) => (value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`);

/** Small numbers in decimal, others as addresses and masks are read. */
export const plain: Show = (value) => (value > 0xffff || value < -0xffff ? hex(value) : String(value));

export const octal: Show = (value) => (Number(value) === 0 ? '0' : `0${value.toString(8)}`);

type Names = Readonly<Record<string, number>>;

/** `O_RDWR|O_CLOEXEC`; what has no name stays a number. `none` is how zero reads. */
export function bits(names: Names, none = '0'): Show {
  const table = Object.entries(names).map(([name, bit]) => [name, BigInt(bit)] as const);
  return (value) => {
    let left = BigInt.asUintN(64, BigInt(value));
    const found: string[] = [];
    for (const [name, bit] of table) {
      if ((left & bit) !== bit) continue;
      found.push(name);
      left &= ~bit;
    }
    if (left !== 0n) found.push(hex(left));
    return found.join('|') || none;
  };
}

export function choice(names: Names): Show {
  const byValue = new Map(Object.entries(names).map(([name, value]) => [value, name]));
  return (value) => byValue.get(Number(value)) ?? plain(value);
}

const fileType = choice({ S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO });

/** `S_IFCHR|0666` */
export const fileMode: Show = (value) => {
  const type = Number(value) & S_IFMT;
  const permissions = octal(Number(value) & ~S_IFMT);
  return type === 0 ? permissions : `${fileType(type)}|${permissions}`;
};

/** new_decode_dev() of linux/kdev_t.h */
export const deviceNumber: Show = (value) => {
  const number = Number(value);
  const minor = (number & 0xff) | ((number >>> 12) & 0xfff00);
  return number === 0 ? '0' : `makedev(${(number >>> 8) & 0xfff}, ${minor})`;
};

/** `{flags=O_PATH|O_CLOEXEC, resolve=RESOLVE_IN_ROOT}`: the fields that are not zero, as `shows` has them. */
export function structText<F extends string>(
  layout: { decode(bytes: Uint8Array): Readonly<Record<F, number | bigint>> },
  shows: Partial<Record<F, Show>>,
): (bytes: Uint8Array) => string {
  return (bytes) => {
    const values = Object.entries<number | bigint>(layout.decode(bytes));
    const fields = values
      .filter(([, value]) => Number(value) !== 0)
      .map(([name, value]) => `${name}=${(shows[name as F] ?? plain)(value)}`);
    return `{${fields.join(', ')}}`;
  };
}
