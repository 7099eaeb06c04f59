// A running stage as the host sees it: what it reports, and what it is told.
import { HOST_ARCHITECTURE } from '../abi/fcntl.ts';
import { receiveMessage, sendMessage, socketPair } from '../control-socket.ts';
import type { Fd } from '../fd.ts';
import { encodeProgram } from '../plan/encode.ts';
import type { SlotValues } from '../plan/execute.ts';
import { PlanError } from '../plan/plan-error.ts';
import type { Program } from '../plan/program.ts';
import { syscall } from '../syscall.ts';
import { interpreterCode } from './code.ts';
import { elfFile } from './elf.ts';
import { PLAN_ADDRESS, REPORT, REPORT_KIND, STEP } from './layout.ts';
import { executableFile, spawnExecutable } from './spawn.ts';

export interface StageReport {
  /** The label of the step that reported. */
  readonly label: string;
  readonly value: number;
  /** A descriptor that came as a message of its own, without a step. */
  readonly fd: Fd | undefined;
}

export interface LaunchOptions {
  /** Descriptors that the program names by slot. */
  readonly given: SlotValues;
  /** The slot under which the program knows its end of the socket pair. */
  readonly controlSlot: string;
  readonly stdio?: readonly [number, number, number];
  /** Descriptors from 3 on that pass through to the container's program. */
  readonly preserveFds: number;
  /** Where the stage is put if it cannot be in memory. */
  readonly fallbackDirectory: string;
  /** Gets a record after each of its system calls; see trace.ts. */
  readonly traceFd?: number | undefined;
}

export class StageSession implements Disposable {
  readonly program: Program;
  /** Of the process that was started; the container's own is reported. */
  readonly pid: number;
  readonly #control: Fd;
  #lastReport = 0;

  private constructor(program: Program, pid: number, control: Fd) {
    this.program = program;
    this.pid = pid;
    this.#control = control;
  }

  /** Starts a stage that runs `program`. @throws {SysError} */
  static launch(program: Program, options: LaunchOptions): StageSession {
    const [ours, theirs] = socketPair();
    using control = theirs;
    const given = new Map(options.given).set(options.controlSlot, control.number);
    const preserved = Array.from({ length: options.preserveFds }, (_, index) => 3 + index);
    const { traceFd } = options;
    const traced = traceFd === undefined ? [] : [traceFd];
    const inherited = [...new Set([...given.values(), ...preserved, ...traced])];
    const plan = encodeProgram(program, {
      architecture: HOST_ARCHITECTURE,
      address: PLAN_ADDRESS,
      given,
      reportFd: control.number,
      traceFd: traceFd ?? -1,
    });
    const file = elfFile({
      architecture: HOST_ARCHITECTURE,
      code: interpreterCode(HOST_ARCHITECTURE),
      plan: plan.bytes,
      planMemoryBytes: plan.memoryBytes,
    });
    using executable = executableFile(file, options.fallbackDirectory);
    const stdio = options.stdio === undefined ? {} : { stdio: options.stdio };
    return new StageSession(program, spawnExecutable(executable, { inherited, ...stdio }), ours);
  }

  /**
   * Blocks for the next report.
   * @returns undefined when the stage is gone: it ended, or became the container's program
   * @throws {PlanError} when one of its steps failed
   */
  next(): StageReport | undefined {
    const { bytes, fd } = receiveMessage(this.#control);
    if (bytes.length === 0) return undefined;
    if (fd !== undefined) return { label: 'descriptor', value: 0, fd };
    return this.read(bytes);
  }

  /** A report that came by another way than the control socket. @throws {PlanError} */
  read(bytes: Buffer): StageReport {
    return readReport(this.program, bytes, (value) => {
      this.#lastReport = value;
    });
  }

  /** The value of the report before: a hook's exit status. */
  get lastReport(): number {
    return this.#lastReport;
  }

  /** Lets a stage go on that waits for the host. */
  answer(data: Uint8Array = new Uint8Array(8)): void {
    sendMessage(this.#control, data);
  }

  /** Reaps the started process, which ends when it has cloned the container's. */
  reap(): void {
    syscall('wait4', this.pid, 0, 0, 0);
  }

  [Symbol.dispose](): void {
    this.#control[Symbol.dispose]();
  }
}

export function readReport(
  program: Program,
  bytes: Buffer,
  keep: (value: number) => void = () => {},
): StageReport {
  if (bytes.length !== REPORT.bytes) throw new Error(`a stage sent ${bytes.length} bytes that are no report`);
  const step = Number(bytes.readBigUInt64LE(REPORT.stepOffset)) / STEP.bytes;
  const value = Number(bytes.readBigInt64LE(REPORT.value));
  if (Number(bytes.readBigUInt64LE(REPORT.kind)) === REPORT_KIND.error)
    throw new PlanError(program, step, value);
  keep(value);
  return { label: program.steps[step]?.label ?? '', value, fd: undefined };
}
