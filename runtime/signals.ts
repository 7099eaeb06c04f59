// Signals by name and number.
import { SIGNAL_ALIASES, SIGNALS } from '../sys/abi/signals.ts';
import { syscall } from '../sys/syscall.ts';
import { RuntimeError } from './errors.ts';

/** signal(7): 1 to 64 on Linux. */
const SIGNAL_MAX = 64;

const NUMBERS: Readonly<Partial<Record<string, number>>> = { ...SIGNALS, ...SIGNAL_ALIASES };

/** `TERM`, `SIGTERM`, `sigterm` or `15`. @throws {RuntimeError} runc's text */
export function parseSignal(text: string): number {
  const upper = text.toUpperCase();
  const number = /^\d+$/.test(text) ? Number(text) : NUMBERS[upper.startsWith('SIG') ? upper : `SIG${upper}`];
  if (number === undefined || number > SIGNAL_MAX) {
    throw new RuntimeError('BAD_SIGNAL', `unknown signal ${JSON.stringify(text)}`);
  }
  return number;
}

/** What cannot be caught, what is the terminal's or the children's, and what a fault of our own raises. */
// biome-ignore format: a table
const KEPT: readonly string[] = [
  'SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGWINCH', 'SIGURG', 'SIGPROF', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE',
];

export type ForwardedSignal = Extract<NodeJS.Signals, keyof typeof SIGNALS>;

/** What a foreground run passes on: everything else. */
export const forwardedSignals = (): ForwardedSignal[] =>
  (Object.keys(SIGNALS) as ForwardedSignal[]).filter((name) => !KEPT.includes(name));

export const signalNumber = (name: ForwardedSignal): number => SIGNALS[name];

/** SIG_UNBLOCK of asm-generic/signal-defs.h, and sizeof(sigset_t) in the kernel. */
const SIG_UNBLOCK = 1;
const SIGSET_BYTES = 8;

/** Node under --disable-sigusr1 keeps that signal blocked, and a handler for it would never run. */
export function unblockSignal(name: ForwardedSignal): void {
  const set = new Uint8Array(SIGSET_BYTES);
  const bit = signalNumber(name) - 1;
  set[bit >> 3] = 1 << (bit & 7);
  syscall('rt_sigprocmask', SIG_UNBLOCK, set, 0, SIGSET_BYTES);
}
