// Between the caller's terminal (or pipes) and the container's: the foreground of `run -t`.
import { ReadStream, WriteStream } from 'node:tty';
import { TIOCGWINSZ, TIOCSWINSZ } from '../sys/abi/constants.ts';
import { winsize } from '../sys/abi/structs.ts';
import type { Fd } from '../sys/fd.ts';
import { syscall, trySyscall } from '../sys/syscall.ts';

/** The caller's side. */
export interface CallersTerminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/** Passes bytes and window sizes on; puts the caller's terminal back as it was when it is disposed. */
export class TerminalRelay implements AsyncDisposable {
  readonly #terminal: Fd;
  readonly #caller: CallersTerminal;
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #ended: Promise<void>;
  readonly #restore = (): void => this.#restoreMode();
  readonly #resize = (): void => this.#copySize();

  /** Owns `terminal` from here on. */
  constructor(terminal: Fd, caller: CallersTerminal) {
    this.#terminal = terminal;
    this.#caller = caller;
    this.#copySize();
    this.#input = new ReadStream(terminal.number);
    this.#output = new WriteStream(terminal.number);
    this.#input.on('data', (chunk: Buffer) => this.#caller.output.write(chunk));
    this.#output.on('error', () => {}); // the container has closed its side: the end of input is seen by the reader
    this.#ended = new Promise((resolve) => {
      this.#input.on('error', () => resolve()); // EIO is how a terminal says that nobody has it open any more
      this.#input.on('end', () => resolve());
    });
    if (this.#caller.input.isTTY) {
      this.#caller.input.setRawMode(true);
      process.on('exit', this.#restore);
    }
    process.on('SIGWINCH', this.#resize);
    this.#caller.input.on('data', (chunk: Buffer) => this.#output.write(chunk));
    this.#caller.input.on('end', () => this.#output.write(END_OF_TRANSMISSION));
  }

  #copySize(): void {
    const size = new Uint8Array(winsize.size);
    if (trySyscall('ioctl', 0, TIOCGWINSZ, size) === 0)
      syscall('ioctl', this.#terminal.number, TIOCSWINSZ, size);
  }

  #restoreMode(): void {
    if (this.#caller.input.isTTY) this.#caller.input.setRawMode(false);
  }

  /** All that the container wrote has been passed on. */
  async [Symbol.asyncDispose](): Promise<void> {
    process.off('SIGWINCH', this.#resize);
    this.#caller.input.pause();
    this.#caller.input.removeAllListeners('data');
    await Promise.race([this.#ended, new Promise((resolve) => setTimeout(resolve, DRAIN_TIMEOUT_MS))]);
    this.#restoreMode();
    process.off('exit', this.#restore);
    this.#input.destroy();
    this.#output.destroy();
  }
}

/** Ctrl-D: a pipe's end of input as a terminal says it. */
const END_OF_TRANSMISSION = '\x04';

/** A process that left the container's session behind may hold the terminal open for ever. */
const DRAIN_TIMEOUT_MS = 500;
