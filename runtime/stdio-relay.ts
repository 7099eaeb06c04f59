// A foreground container without a terminal of its own must not get the caller's: whoever holds it can type into it
// (TIOCSTI) or change its settings. Where the caller's standard descriptors are terminals, pipes take their places.
import { constants, createReadStream, createWriteStream, openSync } from 'node:fs';
import { O_CLOEXEC } from '../sys/abi/constants.ts';
import { Fd } from '../sys/fd.ts';
import { syscall } from '../sys/syscall.ts';
import { isTerminal } from '../sys/terminal.ts';
import type { CallersTerminal } from './terminal-relay.ts';

/** How long to wait for the rest of the output once the program has ended: something else may hold the pipe. */
const DRAIN_TIMEOUT_MS = 500;

export class StdioRelay implements AsyncDisposable {
  /** What the container gets as 0, 1 and 2. */
  readonly stdio: readonly [number, number, number];
  readonly #containerEnds = new DisposableStack();
  readonly #drained: Promise<void>[] = [];
  readonly #caller: () => CallersTerminal;
  readonly #readsTerminal: boolean;

  constructor(stdin: 'inherit' | 'none', caller: () => CallersTerminal) {
    this.#readsTerminal = stdin === 'inherit' && isTerminal(0);
    this.#caller = caller;
    this.stdio = [stdin === 'none' ? this.#nothing() : this.#input(), this.#output(1), this.#output(2)];
  }

  #nothing(): number {
    return this.#containerEnds.use(new Fd(openSync('/dev/null', constants.O_RDONLY))).number;
  }

  #input(): number {
    if (!this.#readsTerminal) return 0;
    const [forContainer, ours] = pipe();
    const to = createWriteStream('', { fd: ours.release() });
    to.on('error', () => {}); // the program does not read any more
    this.#caller().input.pipe(to);
    return this.#containerEnds.use(forContainer).number;
  }

  #output(number: 1 | 2): number {
    if (!isTerminal(number)) return number;
    const [ours, forContainer] = pipe();
    const from = createReadStream('', { fd: ours.release() });
    const { output, error } = this.#caller();
    from.pipe(number === 1 ? output : error, { end: false });
    this.#drained.push(new Promise((resolve) => from.on('close', () => resolve())));
    return this.#containerEnds.use(forContainer).number;
  }

  /** The container has its own; ours would keep the pipes from ending. */
  started(): void {
    this.#containerEnds.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.started();
    if (this.#readsTerminal) this.#caller().input.destroy();
    const late = new Promise<void>((resolve) => setTimeout(resolve, DRAIN_TIMEOUT_MS).unref());
    await Promise.race([Promise.all(this.#drained), late]);
  }
}

function pipe(): [reading: Fd, writing: Fd] {
  const pair = new Uint8Array(8);
  syscall('pipe2', pair, O_CLOEXEC);
  const view = new DataView(pair.buffer);
  return [new Fd(view.getInt32(0, true)), new Fd(view.getInt32(4, true))];
}
