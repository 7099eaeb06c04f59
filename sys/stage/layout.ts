// Where things lie in the stage's memory, and the shape of an encoded step. The interpreter's code and the
// encoder both read this; the host reads reports and traces by it.

/** The code, with the ELF header before it, mapped readable and executable. */
export const CODE_ADDRESS = 0x400000;
/** The plan: header, slots, steps, data; mapped readable and writable. It follows the code's page in the file, so
 * its address has the same remainder. */
export const PLAN_OFFSET = 0x1000;
export const PLAN_ADDRESS = 0x10000000 + PLAN_OFFSET;
/** Segments are aligned for the largest pages that arm64 kernels use. */
export const SEGMENT_ALIGNMENT = 0x10000;

export const HEADER = {
  steps: 0, // address of the first step
  slots: 8, // address of slot 0
  report: 64, // a Report is put together here
  trace: 96, // a Trace
  bytes: 128,
} as const;

export const STEP = {
  op: 0, // u8
  policies: 1, // u8, how many
  destination: 2, // u16 slot, or NO_SLOT; for a branch its condition
  code: 4, // u32: the call's number, an arithmetic operation, a width, a branch's target
  kinds: 8, // six u8: OPERAND.immediate or OPERAND.slot
  operands: 16, // six u64; a slot operand holds 8 × its number
  policy: 64, // eight of { u16 errno; u16 target step }
  bytes: 96,
} as const;

export const POLICIES_MAX = 8;
export const OPERANDS_MAX = 6;
/** Step numbers and slot numbers are u16, and these two values mean something else. */
export const NO_SLOT = 0xffff;
export const ANY_ERRNO = 0xffff;
export const STEPS_MAX = 0xffff;

export const OP = { call: 1, branch: 2, set: 3, load: 4, store: 5, report: 6, fail: 7 } as const;
export const OPERAND = { immediate: 0, slot: 1 } as const;
export const CONDITION = { equal: 0, notEqual: 1, below: 2, less: 3 } as const;
export const ARITHMETIC = { move: 0, add: 1, subtract: 2, and: 3, or: 4 } as const;

/** Slots with a meaning to the interpreter. */
export const REPORT_SLOT = 0;
export const TRACE_SLOT = 1;
export const FIRST_FREE_SLOT = 2;

/** What a stage writes to its report descriptor: three u64. */
export const REPORT = { stepOffset: 0, kind: 8, value: 16, bytes: 24 } as const;
export const REPORT_KIND = { error: 0, sync: 1 } as const;

/** What it writes to its trace descriptor after each call, when that slot is not negative. */
export const TRACE = { stepOffset: 0, result: 8, seconds: 16, nanoseconds: 24, bytes: 32 } as const;

/** Results from -4095 to -1 are errnos (the kernel's MAX_ERRNO). */
export const ERRNO_MAX = 4095;
