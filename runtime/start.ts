// `start`: opens the exec fifo, and hears by it whether the container's program came to run.
import { constants, openSync, readSync, rmSync } from 'node:fs';
import { STATUS_PLACEHOLDER } from '../namespaces/hook-protocol.ts';
import { POLLIN } from '../sys/abi/constants.ts';
import { pollfd } from '../sys/abi/structs.ts';
import { errnoText, isErrno } from '../sys/errno.ts';
import { Fd } from '../sys/fd.ts';
import { REPORT, REPORT_KIND, STEP } from '../sys/stage/layout.ts';
import { trySyscall } from '../sys/syscall.ts';
import { killAll, loadContainer } from './container.ts';
import { RuntimeError } from './errors.ts';
import { hookState } from './hook-state.ts';
import { runHooks, statusText } from './hooks.ts';
import { openProcess } from './process-identity.ts';
import type { SavedState, StateDirectory, StateStore } from './state-store.ts';

/** @throws {RuntimeError} runc's texts, or why the program did not come to run */
export async function startContainer(store: StateStore, id: string): Promise<void> {
  using directory = store.open(id);
  const { saved, status } = loadContainer(store, id);
  if (status === 'stopped') throw new RuntimeError('STOPPED', 'cannot start a container that has stopped');
  if (status !== 'created') throw new RuntimeError('RUNNING', 'cannot start an already running container');
  try {
    openGate(saved, directory);
  } finally {
    rmSync(directory.fifo, { force: true });
  }
  await runPoststart(saved, directory.readConfig());
}

/** runtime.md "Lifecycle" step 10: after the program was executed; a failure ends the container. */
export async function runPoststart(saved: SavedState, configText: Buffer): Promise<void> {
  if (!configText.includes('"poststart"')) return;
  const { parseConfig } = await import('../spec/validate.ts');
  const { hooks } = parseConfig(configText);
  try {
    const state = hookState(saved, 'running', saved.process?.pid ?? 0).toString();
    await runHooks('poststart', hooks?.poststart, { state, cwd: saved.bundle });
  } catch (error) {
    await killAll(saved);
    throw error;
  }
}

function openGate(saved: SavedState, directory: StateDirectory): void {
  using init = saved.process === undefined ? undefined : openProcess(saved.process);
  if (init === undefined) throw new RuntimeError('STOPPED', 'cannot start a container that has stopped');
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
  using fifo = new Fd(openSync(directory.fifo, O_RDONLY | O_NONBLOCK | O_NOFOLLOW));
  let lastReport = 0;
  for (;;) {
    // Until the stage has opened its end a read would say "end of file"; poll(2) waits for a writer first.
    waitForEither(fifo, init);
    const record = readRecord(fifo);
    if (record === undefined) return;
    const value = Number(record.readBigInt64LE(REPORT.value));
    if (Number(record.readBigUInt64LE(REPORT.kind)) === REPORT_KIND.error) {
      throw lateError(
        saved,
        Number(record.readBigUInt64LE(REPORT.stepOffset)) / STEP.bytes,
        value,
        lastReport,
      );
    }
    lastReport = value;
  }
}

/** undefined: the other end is closed, which the execve of the program does. */
function readRecord(fifo: Fd): Buffer | undefined {
  const record = Buffer.alloc(REPORT.bytes);
  try {
    return readSync(fifo.number, record) === REPORT.bytes ? record : undefined;
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return undefined;
    throw error;
  }
}

function waitForEither(fifo: Fd, init: Fd): void {
  const waiting = Buffer.concat([
    pollfd.encode({ fd: fifo.number, events: POLLIN }),
    pollfd.encode({ fd: init.number, events: POLLIN }),
  ]);
  let result: number;
  do result = trySyscall('ppoll', waiting, 2, 0, 0, 0);
  while (result < 0);
}

/** The step by the labels that create has saved. */
function lateError(saved: SavedState, step: number, errno: number, lastReport: number): RuntimeError {
  const late = saved.late?.steps[step - saved.late.first];
  const text = late?.failure ?? `${late?.label ?? `step ${step}`}: ${errnoText(errno)}`;
  return new RuntimeError('START', text.replace(STATUS_PLACEHOLDER, statusText(lastReport)));
}
