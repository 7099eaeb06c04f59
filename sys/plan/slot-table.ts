// The slots of a program: their numbers, in the order in which they are met, and what they hold at the start.
import { FIRST_FREE_SLOT, NO_SLOT, REPORT_SLOT, TRACE_SLOT } from '../stage/layout.ts';
import { REPORT } from './program.ts';

export interface SlotTable {
  number(name: string): number;
  /** Those with a meaning to the interpreter included. */
  count(): number;
  /** name → offset, where slot 0 lies at `slotsAt` */
  offsets(slotsAt: number): ReadonlyMap<string, number>;
  write(to: Uint8Array, slotsAt: number, fds: { readonly reportFd: number; readonly traceFd: number }): void;
}

/** `given`: what named slots hold at the start; all others hold 0. */
export function slotTable(given: ReadonlyMap<string, number>): SlotTable {
  const numbers = new Map<string, number>();

  function number(name: string): number {
    if (name === REPORT.name) return REPORT_SLOT;
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const fresh = FIRST_FREE_SLOT + numbers.size;
    if (fresh === NO_SLOT) throw new RangeError(`a plan of more than ${NO_SLOT} slots`);
    numbers.set(name, fresh);
    return fresh;
  }

  for (const name of given.keys()) number(name);
  return {
    number,
    count: () => FIRST_FREE_SLOT + numbers.size,
    offsets(slotsAt) {
      const offsets = new Map<string, number>();
      for (const name of numbers.keys()) offsets.set(name, slotsAt + 8 * number(name));
      return offsets;
    },
    write(to, slotsAt, { reportFd, traceFd }) {
      const view = new DataView(to.buffer, slotsAt);
      view.setBigInt64(8 * REPORT_SLOT, BigInt(reportFd), true);
      view.setBigInt64(8 * TRACE_SLOT, BigInt(traceFd), true);
      for (const [name, value] of given) view.setBigInt64(8 * number(name), BigInt(value), true);
    },
  };
}
