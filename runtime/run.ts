// `run`: create, start, wait, delete, with the caller's signals and terminal passed on.
import type { Fd } from '../sys/fd.ts';
import { isTerminal } from '../sys/terminal.ts';
import { shellStatus, waitForExit } from '../sys/wait.ts';
import type { Bundle } from './bundle.ts';
import { connectConsoleSocket, sendTerminal } from './console-socket.ts';
import { type Creation, createContainer, type PhaseListener } from './create.ts';
import { destroyIfThere } from './delete.ts';
import { RuntimeError } from './errors.ts';
import { writePidFile } from './pid-file.ts';
import { identify, openProcess, sendSignal } from './process-identity.ts';
import { forwardedSignals, signalNumber, unblockSignal } from './signals.ts';
import { runPoststart } from './start.ts';
import type { Launched, StateStore } from './state-store.ts';
import type { StdioRelay } from './stdio-relay.ts';
import type { CallersTerminal, TerminalRelay } from './terminal-relay.ts';
import type { CreationTrace } from './trace.ts';

export interface RunOptions {
  readonly detach: boolean;
  readonly keep: boolean;
  readonly pidFile: string | undefined;
  readonly consoleSocket: string | undefined;
  readonly preserveFds: number;
  /** How many of them are sockets of socket activation. */
  readonly listenFds: number;
  readonly newKeyring: boolean;
  readonly rootless: boolean;
  readonly openFilesLimit: number | undefined;
  /** `none`: the container reads an empty standard input. */
  readonly stdin: 'inherit' | 'none';
  readonly onPhase?: PhaseListener | undefined;
  readonly trace?: CreationTrace | undefined;
  /** Set by `launch`. */
  readonly launched?: Launched;
  warn(message: string): void;
  /** Asked for only when a terminal has to be relayed. */
  caller(): CallersTerminal;
}

/** @throws {RuntimeError} runc's texts, with our name, for a terminal that goes nowhere */
export function checkTerminal(
  terminal: boolean,
  foreground: boolean,
  consoleSocket: string | undefined,
): void {
  if (terminal && !foreground && consoleSocket === undefined) {
    throw new RuntimeError(
      'TERMINAL',
      'cannot allocate tty if hull will detach without setting console socket',
    );
  }
  if (consoleSocket !== undefined && (!terminal || foreground)) {
    throw new RuntimeError('TERMINAL', 'cannot use console socket if hull will not detach or allocate tty');
  }
}

/** Where a new terminal goes: to the socket, or to the foreground. */
export function terminalTarget(consoleSocket: string | undefined): {
  readonly socket: Fd | undefined;
  terminal: Fd | undefined;
  onTerminal(terminal: Fd): void;
} {
  const socket = consoleSocket === undefined ? undefined : connectConsoleSocket(consoleSocket);
  return {
    socket,
    terminal: undefined,
    onTerminal(terminal: Fd): void {
      if (socket === undefined) {
        this.terminal = terminal;
        return;
      }
      sendTerminal(socket, terminal);
      terminal[Symbol.dispose]();
    },
  };
}

/** @returns the exit status: the program's, or 0 when detached */
export async function runContainer(
  store: StateStore,
  id: string,
  bundle: Bundle,
  options: RunOptions,
): Promise<number> {
  const { config } = bundle;
  if (config.process === undefined)
    throw new RuntimeError('NO_PROCESS', 'process property must not be empty');
  checkTerminal(config.process.terminal === true, !options.detach, options.consoleSocket);
  const target = terminalTarget(options.consoleSocket);
  await using relay = options.detach
    ? undefined
    : await relayStdio(config.process.terminal === true, options);
  const forwarding = options.detach ? undefined : new SignalForwarding();
  try {
    using creation = await createContainer(store, id, bundle, {
      gate: 'host',
      preserveFds: options.preserveFds,
      listenFds: options.listenFds,
      newKeyring: options.newKeyring,
      rootless: options.rootless,
      openFilesLimit: options.openFilesLimit,
      ...(relay === undefined ? {} : { stdio: relay.stdio }),
      ...(options.launched === undefined ? {} : { launched: options.launched }),
      onPhase: options.onPhase,
      trace: options.trace,
      onTerminal: (terminal) => target.onTerminal(terminal),
    });
    relay?.started();
    return await supervise(store, creation, target.terminal, forwarding, options);
  } finally {
    forwarding?.[Symbol.dispose]();
    target.socket?.[Symbol.dispose]();
  }
}

async function supervise(
  store: StateStore,
  creation: Creation,
  terminal: Fd | undefined,
  forwarding: SignalForwarding | undefined,
  options: RunOptions,
): Promise<number> {
  const { state, directory, bundle } = creation;
  await using _relay = await relayTerminal(terminal, options.caller, options.stdin);
  try {
    if (options.pidFile !== undefined) writePidFile(options.pidFile, creation.pid);
    creation.start();
    await runPoststart(state, bundle.configText);
  } catch (error) {
    await creation.abandon();
    throw error;
  }
  if (forwarding === undefined) return 0;
  directory.unlock(); // for as long as it runs, others may kill, pause or delete it
  forwarding.to(creation.pid);
  const status = shellStatus(await waitForExit(creation.pid));
  if (!options.keep) await destroyIfThere(store, state, options.warn);
  return status;
}

/** The caller's own three, unless one is a terminal or standard input is not wanted. */
async function relayStdio(
  hasTerminal: boolean,
  { stdin, caller }: Pick<RunOptions, 'stdin' | 'caller'>,
): Promise<StdioRelay | undefined> {
  if (hasTerminal || (stdin === 'inherit' && ![0, 1, 2].some(isTerminal))) return undefined;
  const { StdioRelay } = await import('./stdio-relay.ts');
  return new StdioRelay(stdin, caller);
}

/** Before the program runs, so that it finds the size of the caller's terminal. */
export async function relayTerminal(
  terminal: Fd | undefined,
  caller: () => CallersTerminal,
  stdin: RunOptions['stdin'] = 'inherit',
): Promise<TerminalRelay | undefined> {
  if (terminal === undefined) return undefined;
  const { TerminalRelay } = await import('./terminal-relay.ts');
  return new TerminalRelay(terminal, caller(), stdin);
}

/** Catches what may be passed on, from before the container exists; keeps it until there is one. */
export class SignalForwarding implements Disposable {
  readonly #handlers: (readonly [NodeJS.Signals, () => void])[] = [];
  readonly #pending: number[] = [];
  #target: number | undefined;

  constructor() {
    for (const name of forwardedSignals()) {
      const number = signalNumber(name);
      const handler = (): void => this.#forward(number);
      process.on(name, handler);
      this.#handlers.push([name, handler]);
    }
    unblockSignal('SIGUSR1');
  }

  to(pid: number): void {
    this.#target = pid;
    for (const signal of this.#pending.splice(0)) this.#forward(signal);
  }

  #forward(signal: number): void {
    if (this.#target === undefined) {
      this.#pending.push(signal);
      return;
    }
    try {
      using pidfd = openProcess(identify(this.#target));
      if (pidfd !== undefined) sendSignal(pidfd, signal);
    } catch {
      // It ended just now, which the waiting will tell.
    }
  }

  [Symbol.dispose](): void {
    for (const [name, handler] of this.#handlers) process.off(name, handler);
  }
}
