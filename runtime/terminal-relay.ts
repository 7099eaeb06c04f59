// Between the caller's terminal (or pipes) and the container's: the foreground of `run` and `exec -t`.
import { ReadStream, WriteStream } from 'node:tty';
import { F_DUPFD_CLOEXEC, TIOCGWINSZ, TIOCSWINSZ } from '../sys/abi/constants.ts';
import { winsize } from '../sys/abi/structs.ts';
import { rawTermios, TCGETS, TCSETS, TERMIOS_BYTES } from '../sys/abi/termios.ts';
import type { Fd } from '../sys/fd.ts';
import { syscall, trySyscall } from '../sys/syscall.ts';

/** The caller's side. */
export interface CallersTerminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly error: NodeJS.WriteStream;
}

const STDIN = 0;

/** Ctrl-D: a pipe's end of input as a terminal says it. */
const END_OF_TRANSMISSION = '\x04';

/** A process that left the container's session behind may hold the terminal open for ever. */
const DRAIN_TIMEOUT_MS = 500;

/** Passes bytes and window sizes on; puts the caller's terminal back as it was, however the process ends. */
export class TerminalRelay implements AsyncDisposable {
  readonly #terminal: number;
  readonly #caller: CallersTerminal;
  readonly #fromContainer: ReadStream;
  readonly #toContainer: WriteStream;
  readonly #ended: Promise<void>;
  readonly #settings = new Uint8Array(TERMIOS_BYTES);
  readonly #takesInput: boolean;
  readonly #isTerminal: boolean;
  readonly #restore = (): void => this.#restoreSettings();
  readonly #resize = (): void => this.#copySize();

  /** Owns `terminal` from here on. */
  constructor(terminal: Fd, caller: CallersTerminal, stdin: 'inherit' | 'none' = 'inherit') {
    // Each stream closes its descriptor, so each has one of its own.
    const forWriting = syscall('fcntl', terminal.number, F_DUPFD_CLOEXEC, 0);
    this.#terminal = terminal.release();
    this.#caller = caller;
    this.#copySize();
    this.#takesInput = stdin === 'inherit';
    this.#isTerminal = this.#takesInput && trySyscall('ioctl', STDIN, TCGETS, this.#settings) === 0;
    if (this.#isTerminal) syscall('ioctl', STDIN, TCSETS, rawTermios(this.#settings));
    process.on('exit', this.#restore);
    process.on('SIGWINCH', this.#resize);
    this.#fromContainer = new ReadStream(this.#terminal);
    this.#toContainer = new WriteStream(forWriting);
    this.#ended = this.#connect();
  }

  #connect(): Promise<void> {
    const { input, output } = this.#caller;
    // Errors here mean that the container has closed its side, which the reader sees as the end.
    this.#toContainer.on('error', () => {});
    if (this.#takesInput) {
      input.pipe(this.#toContainer, { end: false });
      input.on('end', () => this.#toContainer.write(END_OF_TRANSMISSION));
    }
    this.#fromContainer.pipe(output, { end: false });
    return new Promise((resolve) => {
      this.#fromContainer.on('error', () => resolve()); // EIO: nobody has the terminal open any more
      this.#fromContainer.on('end', () => resolve());
    });
  }

  #copySize(): void {
    const size = new Uint8Array(winsize.size);
    if (trySyscall('ioctl', STDIN, TIOCGWINSZ, size) < 0) return; // a pipe has no size
    trySyscall('ioctl', this.#terminal, TIOCSWINSZ, size);
  }

  #restoreSettings(): void {
    if (this.#isTerminal) trySyscall('ioctl', STDIN, TCSETS, this.#settings);
  }

  /** Waits until all that the container wrote has been passed on. */
  async [Symbol.asyncDispose](): Promise<void> {
    process.off('SIGWINCH', this.#resize);
    if (this.#takesInput) this.#caller.input.unpipe(this.#toContainer).destroy();
    await Promise.race([
      this.#ended,
      new Promise((resolve) => setTimeout(resolve, DRAIN_TIMEOUT_MS).unref()),
    ]);
    this.#restoreSettings();
    process.off('exit', this.#restore);
    this.#fromContainer.destroy();
    this.#toContainer.destroy();
  }
}
