// Programs that take turns, so that a slow moment of the machine meets all of them alike.
import { setImmediate } from 'node:timers/promises';

export interface Contestant {
  readonly label: string;
  /** Does the work once. @returns milliseconds */
  run(): number | Promise<number>;
}

export interface Alternation {
  readonly rounds: number;
  /** Rounds before those that count: files come into the page cache, compilers compile. */
  readonly warmups: number;
  readonly signal?: AbortSignal;
}

/** The times of each, by label; the times at one index are of one round. */
export type Times = ReadonlyMap<string, readonly number[]>;

/** A B C, A B C, and so on. @throws what the signal was aborted with, or what a contestant throws */
export async function alternate(
  contestants: readonly Contestant[],
  { rounds, warmups, signal }: Alternation,
): Promise<Times> {
  const times = new Map(contestants.map(({ label }): [string, number[]] => [label, []]));
  for (let round = -warmups; round < rounds; round++) {
    for (const contestant of contestants) {
      const milliseconds = await contestant.run();
      if (round >= 0) times.get(contestant.label)?.push(milliseconds);
      await setImmediate(); // a signal that came meanwhile is heard of here
      signal?.throwIfAborted();
    }
  }
  return times;
}

/** Aborted by the first ^C, which the program that runs just then gets too: what was made can be taken away again. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort(new Error('interrupted')));
  return controller.signal;
}
