// Signals by name and number.
import { constants } from 'node:os';
import { syscall } from '../sys/syscall.ts';
import { RuntimeError } from './errors.ts';

/** signal(7): 1 to 64 on Linux. */
const SIGNAL_MAX = 64;

const NUMBERS: ReadonlyMap<string, number> = new Map(Object.entries(constants.signals));

/** `TERM`, `SIGTERM`, `sigterm` or `15`. @throws {RuntimeError} runc's text */
export function parseSignal(text: string): number {
  const upper = text.toUpperCase();
  const number = /^\d+$/.test(text)
    ? Number(text)
    : NUMBERS.get(upper.startsWith('SIG') ? upper : `SIG${upper}`);
  if (number === undefined || number > SIGNAL_MAX) {
    throw new RuntimeError('BAD_SIGNAL', `unknown signal ${JSON.stringify(text)}`);
  }
  return number;
}

/** What a foreground run passes on: everything that can be caught but what is the terminal's or the children's. */
export function forwardedSignals(): NodeJS.Signals[] {
  const kept = new Set([
    'SIGKILL',
    'SIGSTOP',
    'SIGCHLD',
    'SIGWINCH',
    'SIGURG',
    'SIGPROF',
    'SIGSEGV',
    'SIGBUS',
    'SIGILL',
    'SIGFPE',
  ]);
  const aliases = new Set(['SIGIOT', 'SIGPOLL', 'SIGUNUSED', 'SIGCLD']);
  return (Object.keys(constants.signals) as NodeJS.Signals[]).filter(
    (name) => !kept.has(name) && !aliases.has(name),
  );
}

export const signalNumber = (name: NodeJS.Signals): number => constants.signals[name];

/** SIG_UNBLOCK of asm-generic/signal-defs.h, and sizeof(sigset_t) in the kernel. */
const SIG_UNBLOCK = 1;
const SIGSET_BYTES = 8;

/** Node under --disable-sigusr1 keeps that signal blocked, and a handler for it would never run. */
export function unblockSignal(name: NodeJS.Signals): void {
  const set = new Uint8Array(SIGSET_BYTES);
  const bit = signalNumber(name) - 1;
  set[bit >> 3] = 1 << (bit & 7);
  syscall('rt_sigprocmask', SIG_UNBLOCK, set, 0, SIGSET_BYTES);
}
