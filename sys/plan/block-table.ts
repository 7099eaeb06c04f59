// The blocks that a program's steps reach: where they lie, and what points to them.
import type { Block } from './program.ts';

export interface BlockTable {
  /** The block's number; those that it points to get one too. */
  add(block: Block): number;
  /**
   * Gives every block its offset from `start` on: first those that have bytes, so that those of zeros need no room in the
   * file. Equal strings share their bytes.
   */
  arrange(start: number): { readonly fileBytes: number; readonly memoryBytes: number };
  offset(number: number): number;
  /** Writes their bytes, and the addresses that they hold, given where offset 0 will lie. */
  write(to: Uint8Array, address: number): void;
}

const align8 = (n: number): number => (n + 7) & ~7;

export function blockTable(): BlockTable {
  const blocks: Block[] = [];
  const numbers = new Map<Block, number>();
  const offsets: number[] = [];

  function add(block: Block): number {
    const known = numbers.get(block);
    if (known !== undefined) return known;
    const number = blocks.push(block) - 1;
    numbers.set(block, number);
    for (const { to } of block.pointers) add(to);
    return number;
  }

  function arrangeFilled(start: number): number {
    const strings = new Map<string, Block>();
    let end = start;
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks[i] as Block;
      if (isZeros(block)) continue;
      const isString = block.text[0] === '"';
      const equal = isString ? strings.get(block.text) : undefined;
      if (equal !== undefined && isSameString(equal, block)) {
        offsets[i] = offsets[add(equal)] ?? 0;
        continue;
      }
      if (isString) strings.set(block.text, block);
      offsets[i] = end;
      end = align8(end + block.size);
    }
    return end;
  }

  function arrangeZeros(start: number): number {
    let end = start;
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks[i] as Block;
      if (!isZeros(block)) continue;
      offsets[i] = end;
      end = align8(end + block.size);
    }
    return end;
  }

  const offset = (number: number): number => offsets[number] ?? 0;

  return {
    add,
    offset,
    arrange(start) {
      for (let i = 0; i < blocks.length; i++) offsets.push(0);
      const fileBytes = arrangeFilled(align8(start));
      return { fileBytes, memoryBytes: arrangeZeros(fileBytes) };
    },
    write(to, address) {
      for (let i = 0; i < blocks.length; i++) {
        const { bytes, pointers } = blocks[i] as Block;
        const at = offset(i);
        if (bytes.length > 0) to.set(bytes, at);
        if (pointers.length === 0) continue;
        const view = new DataView(to.buffer);
        for (const pointer of pointers) {
          view.setBigUint64(at + pointer.at, BigInt(address + offset(add(pointer.to))), true);
        }
      }
    },
  };
}

const isZeros = ({ bytes, pointers }: Block): boolean => bytes.length === 0 && pointers.length === 0;

const isSameString = (one: Block, other: Block): boolean =>
  one.size === other.size && other.pointers.length === 0 && Buffer.compare(one.bytes, other.bytes) === 0;
