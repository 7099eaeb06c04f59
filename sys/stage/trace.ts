// What a traced stage has written: one record after each system call.
import { STEP, TRACE } from './layout.ts';

export interface TraceRecord {
  /** Its index in the program. */
  readonly step: number;
  /** What the kernel returned: a value, or a negative errno. */
  readonly result: bigint;
  /** CLOCK_MONOTONIC when the call had returned: what `process.hrtime` counts too. */
  readonly nanoseconds: bigint;
}

/** In the order in which they were written, by whichever of the stage's processes. A record cut short is left out. */
export function readTrace(bytes: Buffer): TraceRecord[] {
  const count = Math.floor(bytes.length / TRACE.bytes);
  return Array.from({ length: count }, (_, index) => {
    const at = TRACE.bytes * index;
    const seconds = bytes.readBigUInt64LE(at + TRACE.seconds);
    return {
      step: Number(bytes.readBigUInt64LE(at + TRACE.stepOffset)) / STEP.bytes,
      result: bytes.readBigInt64LE(at + TRACE.result),
      nanoseconds: seconds * 1_000_000_000n + bytes.readBigUInt64LE(at + TRACE.nanoseconds),
    };
  });
}
