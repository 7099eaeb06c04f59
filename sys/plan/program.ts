// A plan in the making: system calls with symbolic arguments, in order, each with a label that a person can read.
import type { SyscallName } from '../abi/syscalls.ts';
import type { ErrnoName } from '../errno.ts';

/** A 64-bit register of the plan: a descriptor, a pid, a flag. */
export interface Slot {
  readonly kind: 'slot';
  readonly name: string;
}

/** Bytes that steps point to. `size` may exceed the bytes given; the rest is zero. */
export interface Block {
  readonly kind: 'block';
  /** How the printed plan shows it: a quoted string, `open_how{…}`. */
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly size: number;
  /** Places in the block that hold the address of another block: an argv, an iovec. */
  readonly pointers: readonly { readonly at: number; readonly to: Block }[];
}

/** The address of a slot, for calls that store a result through a pointer. */
export interface SlotAddress {
  readonly kind: 'slotAddress';
  readonly slot: Slot;
}

/** An address inside a block. */
export interface Place {
  readonly kind: 'place';
  readonly block: Block;
  readonly offset: number;
}

/** An immediate that prints as its symbols: `O_PATH|O_CLOEXEC`. */
export interface Flags {
  readonly kind: 'flags';
  readonly value: number | bigint;
  readonly text: string;
}

export type Operand = number | bigint | Slot | Block | SlotAddress | Place | Flags;

/** Where to go on: a label's name, or the next step. */
export type Target = string | typeof NEXT;
export const NEXT = Symbol('next');

/** What a refusal leads to, in order; a refusal that none names fails the plan. */
export type Policies = readonly (readonly [errno: ErrnoName | 'any', target: Target])[];

export interface CallStep {
  readonly kind: 'call';
  readonly call: SyscallName;
  readonly operands: readonly Operand[];
  readonly into: Slot | undefined;
  readonly policies: Policies;
  /** What is attempted: `mount "proc" at "/proc"`. */
  readonly label: string;
  /** Replaces the kernel's reason in the error, where runc's text is fixed. */
  readonly failure: string | undefined;
}

export type Comparison = 'equal' | 'notEqual' | 'below' | 'less';
export type ArithmeticOp = 'move' | 'add' | 'subtract' | 'and' | 'or';
export type Width = 1 | 2 | 4 | 8;

export type Step =
  | CallStep
  | {
      readonly kind: 'branch';
      readonly left: Operand;
      readonly comparison: Comparison;
      readonly right: Operand;
      readonly to: string;
      readonly label: string;
    }
  | {
      readonly kind: 'set';
      readonly into: Slot;
      readonly op: ArithmeticOp;
      readonly left: Operand;
      readonly right: Operand;
      readonly label: string;
    }
  | {
      readonly kind: 'load';
      readonly into: Slot;
      readonly width: Width;
      readonly from: Operand;
      readonly label: string;
    }
  | {
      readonly kind: 'store';
      readonly width: Width;
      readonly to: Operand;
      readonly value: Operand;
      readonly label: string;
    }
  | { readonly kind: 'report'; readonly value: Operand; readonly label: string }
  | {
      readonly kind: 'fail';
      readonly errno: ErrnoName;
      readonly label: string;
      readonly failure: string | undefined;
    };

export interface CallOptions {
  readonly into?: Slot;
  /** Refusals that are fine: the plan goes on with the next step. */
  readonly ignore?: readonly (ErrnoName | 'any')[];
  /** Refusals that lead elsewhere. */
  readonly on?: Partial<Record<ErrnoName | 'any', string>>;
  readonly failure?: string;
}

export class Program {
  readonly steps: Step[] = [];
  /** label → number of the step that follows it */
  readonly labels = new Map<string, number>();
  #fresh = 0;

  /** A system call. @param label what is attempted, for the printed plan, the trace and the error */
  call(label: string, call: SyscallName, operands: readonly Operand[], options: CallOptions = {}): void {
    const policies: (readonly [ErrnoName | 'any', Target])[] = [];
    for (const errno of options.ignore ?? []) policies.push([errno, NEXT]);
    for (const [errno, target] of Object.entries(options.on ?? {})) {
      policies.push([errno as ErrnoName | 'any', target]);
    }
    const { into, failure } = options;
    this.steps.push({ kind: 'call', call, operands, into, policies, label, failure });
  }

  branch(label: string, left: Operand, comparison: Comparison, right: Operand, to: string): void {
    this.steps.push({ kind: 'branch', left, comparison, right, to, label });
  }

  goTo(to: string): void {
    this.steps.push({ kind: 'branch', left: 0, comparison: 'equal', right: 0, to, label: 'go on' });
  }

  set(label: string, into: Slot, left: Operand, op: ArithmeticOp = 'move', right: Operand = 0): void {
    this.steps.push({ kind: 'set', into, op, left, right, label });
  }

  load(label: string, into: Slot, width: Width, from: Operand): void {
    this.steps.push({ kind: 'load', into, width, from, label });
  }

  store(label: string, width: Width, to: Operand, value: Operand): void {
    this.steps.push({ kind: 'store', width, to, value, label });
  }

  /** Tells the host how far the plan has come, with one value. */
  report(label: string, value: Operand): void {
    this.steps.push({ kind: 'report', value, label });
  }

  /** Ends the plan with an error of its own. */
  fail(label: string, errno: ErrnoName, failure?: string): void {
    this.steps.push({ kind: 'fail', errno, label, failure });
  }

  /** The next step is where `name` leads. */
  mark(name: string): void {
    if (this.labels.has(name)) throw new Error(`label "${name}" marked twice`);
    this.labels.set(name, this.steps.length);
  }

  /** A label name that nothing else uses. */
  fresh(stem: string): string {
    this.#fresh += 1;
    return `${stem}#${this.#fresh}`;
  }
}

/** The slot that holds the descriptor reports go to; a program may change it. */
export const REPORT: Slot = { kind: 'slot', name: '@report' };

export const slot = (name: string): Slot => ({ kind: 'slot', name });
export const addressOf = (of: Slot): SlotAddress => ({ kind: 'slotAddress', slot: of });
export function place(of: Block, offset: number): Place {
  if (!(offset >= 0 && offset <= of.size))
    throw new RangeError(`no place ${offset} in ${of.text} of ${of.size} bytes`);
  return { kind: 'place', block: of, offset };
}
export const flags = (value: number | bigint, text: string): Flags => ({ kind: 'flags', value, text });

/** A C string. @throws {Error} on a NUL inside, which would cut it short */
export function cString(text: string): Block {
  if (text.includes('\0')) throw new Error(`a C string cannot hold NUL: ${JSON.stringify(text)}`);
  const bytes = Buffer.from(`${text}\0`);
  return { kind: 'block', text: JSON.stringify(text), bytes, size: bytes.length, pointers: [] };
}

/** A struct or other bytes, shown as `text`. */
export function block(text: string, bytes: Uint8Array, pointers: Block['pointers'] = []): Block {
  for (const { at } of pointers) {
    if (at < 0 || at % 8 !== 0 || at + 8 > bytes.length)
      throw new RangeError(`no pointer fits at ${at} of ${text}`);
  }
  return { kind: 'block', text, bytes, size: bytes.length, pointers };
}

/** `size` zero bytes for the kernel to write to. */
export function buffer(text: string, size: number): Block {
  return { kind: 'block', text, bytes: new Uint8Array(0), size, pointers: [] };
}

/** A NULL-terminated vector of C strings, as execve takes. */
export function stringVector(strings: readonly string[]): Block {
  const pointers = strings.map((text, index) => ({ at: 8 * index, to: cString(text) }));
  const text = `[${strings.map((s) => JSON.stringify(s)).join(', ')}]`;
  return { kind: 'block', text, bytes: new Uint8Array(0), size: 8 * (strings.length + 1), pointers };
}
