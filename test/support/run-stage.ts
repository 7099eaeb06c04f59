// Runs a program in every way there is, and reads what it reported.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MFD_CLOEXEC, P_PIDFD, POLLIN, WEXITED } from '../../sys/abi/constants.ts';
import { pollfd, timespec } from '../../sys/abi/structs.ts';
import type { Architecture } from '../../sys/abi/syscalls.ts';
import { Fd } from '../../sys/fd.ts';
import { encodeProgram } from '../../sys/plan/encode.ts';
import type { Program } from '../../sys/plan/program.ts';
import { elfFile } from '../../sys/stage/elf.ts';
import { assembleInterpreter } from '../../sys/stage/interpreter.ts';
import { PLAN_ADDRESS, REPORT, REPORT_KIND, STEP } from '../../sys/stage/layout.ts';
import { executableFile, spawnExecutable } from '../../sys/stage/spawn.ts';
import { readTrace, type TraceRecord } from '../../sys/stage/trace.ts';
import { syscall } from '../../sys/syscall.ts';

export interface StageWay {
  readonly name: string;
  readonly architecture: Architecture;
  readonly start: (file: Uint8Array, fds: readonly number[], fallbackDirectory: string) => Exit;
  /** How the child numbers the descriptors that it is given. */
  readonly numbers: (fds: readonly number[]) => readonly number[];
  /** Why it cannot be used here. */
  readonly missing: string | undefined;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | number | null;
}

export interface Report {
  readonly step: number;
  readonly kind: 'error' | 'sync';
  readonly value: bigint;
}

export interface StageRun extends Exit {
  readonly reports: readonly Report[];
  readonly traces: readonly TraceRecord[];
}

/** A stage that takes longer than this hangs. */
const DEADLINE_MS = 20_000;
const QEMU = 'qemu-aarch64-static';

const qemuMissing = spawnSync(QEMU, ['--version']).error === undefined ? undefined : `needs ${QEMU}`;
const notX64 = process.arch === 'x64' ? undefined : 'needs an x86-64 machine';

export const MEMFD: StageWay = {
  name: 'from a sealed memfd',
  architecture: process.arch === 'arm64' ? 'arm64' : 'x64',
  start: startFromMemfd,
  numbers: (fds) => fds,
  missing: undefined,
};
const inOrder = (fds: readonly number[]): readonly number[] => fds.map((_, index) => 3 + index);
export const FILE: StageWay = {
  name: 'as a file on x86-64',
  architecture: 'x64',
  start: (file, fds) => startFile(file, fds, []),
  numbers: inOrder,
  missing: notX64,
};
export const FILE_ON_ARM64: StageWay = {
  name: 'as a file on arm64',
  architecture: 'arm64',
  start: (file, fds) => startFile(file, fds, process.arch === 'arm64' ? [] : [QEMU]),
  numbers: inOrder,
  missing: process.arch === 'arm64' ? undefined : qemuMissing,
};
export const STAGE_WAYS: readonly StageWay[] = [MEMFD, FILE, FILE_ON_ARM64];

/** An anonymous file: it can be handed to a child, read afterwards, and never blocks. */
export function memoryFile(name: string): Fd {
  return new Fd(syscall('memfd_create', name, MFD_CLOEXEC));
}

export function contents(file: Fd): Buffer {
  return readFileSync(`/proc/self/fd/${file.number}`);
}

export interface RunOptions {
  /** slot name → a descriptor of ours, which the stage gets under the number in that slot */
  readonly given?: ReadonlyMap<string, Fd>;
  readonly traced?: boolean;
  /** For hosts without executable memfds. */
  readonly fallbackDirectory?: string;
}

export function runStage(
  way: StageWay,
  program: Program,
  { given, traced, fallbackDirectory = tmpdir() }: RunOptions = {},
): StageRun {
  using report = memoryFile('report');
  using trace = memoryFile('trace');
  const names = [...(given ?? new Map()).keys()];
  const fds = [report, trace, ...(given ?? new Map()).values()].map(({ number }) => number);
  const [reportFd = -1, traceFd = -1, ...others] = way.numbers(fds);
  const encoded = encodeProgram(program, {
    architecture: way.architecture,
    address: PLAN_ADDRESS,
    given: new Map(names.map((name, index) => [name, others[index] ?? -1])),
    reportFd,
    traceFd: traced === true ? traceFd : -1,
  });
  const file = elfFile({
    architecture: way.architecture,
    code: assembleInterpreter(way.architecture),
    plan: encoded.bytes,
    planMemoryBytes: encoded.memoryBytes,
  });
  const exit = way.start(file, fds, fallbackDirectory);
  return { ...exit, reports: readReports(contents(report)), traces: readTrace(contents(trace)) };
}

const stepNumber = (offset: bigint): number => Number(offset) / STEP.bytes;

function readReports(bytes: Buffer): Report[] {
  return records(bytes, REPORT.bytes).map((record) => ({
    step: stepNumber(record.readBigUInt64LE(REPORT.stepOffset)),
    kind: record.readBigUInt64LE(REPORT.kind) === BigInt(REPORT_KIND.error) ? 'error' : 'sync',
    value: record.readBigUInt64LE(REPORT.value),
  }));
}

function records(bytes: Buffer, size: number): Buffer[] {
  if (bytes.length % size !== 0) throw new Error(`${bytes.length} bytes are no whole records of ${size}`);
  return Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(size * i, size * (i + 1)));
}

function startFromMemfd(file: Uint8Array, fds: readonly number[], fallbackDirectory: string): Exit {
  using executable = executableFile(file, fallbackDirectory);
  return waitFor(spawnExecutable(executable, { inherited: fds }));
}

/** Waits for a child that node:child_process does not know. */
export function waitFor(pid: number): Exit {
  using pidfd = new Fd(syscall('pidfd_open', pid, 0));
  const poll = pollfd.encode({ fd: pidfd.number, events: POLLIN });
  const timeout = timespec.encode({ tv_sec: BigInt(DEADLINE_MS / 1000) });
  const ready = syscall('ppoll', poll, 1, timeout, 0, 0);
  if (ready === 0) process.kill(pid, 'SIGKILL');
  const info = new Uint8Array(128);
  syscall('waitid', P_PIDFD, pidfd.number, info, WEXITED, 0);
  if (ready === 0) throw new Error(`the stage was still running after ${DEADLINE_MS} ms`);
  // siginfo_t: si_code at 8 (CLD_EXITED is 1), si_status at 24.
  const view = new DataView(info.buffer);
  const status = view.getInt32(24, true);
  return view.getInt32(8, true) === 1 ? { code: status, signal: null } : { code: null, signal: status };
}

function startFile(file: Uint8Array, fds: readonly number[], through: readonly string[]): Exit {
  const directory = mkdtempSync(join(tmpdir(), 'hull-stage-'));
  try {
    const path = join(directory, 'stage');
    writeFileSync(path, file, { mode: 0o500 });
    const [command = path, ...args] = [...through, path];
    const { status, signal, error } = spawnSync(command, args, {
      stdio: ['ignore', 'ignore', 'inherit', ...fds],
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
      env: {},
    });
    if (error !== undefined) throw error;
    return { code: status, signal };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
