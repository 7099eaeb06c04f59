/**
 * Whether system calls that were seen are a walk through a printed plan. Nothing of the plan but its JSON form is used,
 * and what a branch depends on is mostly not to be seen, so both ways are tried.
 */
import type { PlanStep } from '../../runtime/plan.ts';
import { compareArgument } from './plan-arguments.ts';
import { splitArguments, type TracedCall } from './strace.ts';

/** register → the value that was seen */
type Registers = ReadonlyMap<string, bigint>;

interface State {
  readonly at: number;
  readonly registers: Registers;
  /** The steps whose calls were seen. */
  readonly path: readonly number[];
}

export interface Walk {
  /** Numbers of the printed steps that were executed. */
  readonly executed: ReadonlySet<number>;
  readonly comparedArguments: number;
}

const REPORT_BYTES = '24';

/** Follows the processes of the stage from `first` on. @throws {Error} the first call that is not in the plan */
export function walkStage(steps: readonly PlanStep[], calls: readonly TracedCall[], first: number): Walk {
  return new Walker(steps, calls).walk(first);
}

class Walker {
  readonly #steps: readonly PlanStep[];
  readonly #calls: ReadonlyMap<number, readonly TracedCall[]>;
  readonly #index: ReadonlyMap<number, number>;
  readonly #executed = new Set<number>();
  #compared = 0;

  constructor(steps: readonly PlanStep[], calls: readonly TracedCall[]) {
    this.#steps = steps.filter(({ who }) => who === 'stage');
    this.#index = new Map(this.#steps.map(({ number }, index) => [number, index]));
    this.#calls = Map.groupBy(calls, ({ pid }) => pid);
  }

  walk(first: number): Walk {
    const calls = this.#calls.get(first) ?? [];
    const start = calls.findLastIndex(({ name, result }) => name === 'execve' && result === 0) + 1;
    this.#follow(first, start, this.#settle([{ at: 0, registers: new Map(), path: [] }]));
    return { executed: this.#executed, comparedArguments: this.#compared };
  }

  /** One process, from its call `start` to the one that ends it or makes it another program. */
  #follow(pid: number, start: number, from: readonly State[]): void {
    let states = from;
    for (const call of (this.#calls.get(pid) ?? []).slice(start)) {
      const next = states.flatMap((state) => this.#step(state, call));
      if (next.length === 0) throw new Error(this.#complaint(states, call));
      const isOver = call.name === 'exit_group' || (call.name === 'execve' && call.result === 0);
      if (isOver) {
        for (const number of next[0]?.path ?? []) this.#executed.add(number);
        return;
      }
      if (call.child !== undefined) {
        // The same call returns in the child too, with 0.
        const inChild = states.flatMap((state) => this.#step(state, { ...call, result: 0 }));
        this.#follow(call.child, 0, this.#settle(inChild));
      }
      states = this.#settle(next);
    }
    throw new Error(`process ${pid} of the stage was not seen to end`);
  }

  #complaint(states: readonly State[], { name, arguments: given, result, errno }: TracedCall): string {
    const expected = states
      .map(({ at }) => `${this.#steps[at]?.number} ${this.#steps[at]?.text}`)
      .join(' or ');
    return `not in the plan: ${name}(${given.join(', ')}) = ${errno ?? result}; the plan goes on with ${expected}`;
  }

  /** The states after a call, or none when it is not this state's. */
  #step(state: State, call: TracedCall): State[] {
    const step = this.#steps[state.at];
    if (step === undefined) return [];
    const path = [...state.path, step.number];
    if (step.kind === 'report') {
      const isReport = call.name === 'write' && call.arguments.at(-1) === REPORT_BYTES;
      return isReport ? [{ ...state, at: state.at + 1, path }] : [];
    }
    if (step.kind !== 'call' || step.call?.name !== call.name) return [];
    const registers = this.#compare(Object.values(step.call.arguments), call.arguments, state.registers);
    if (registers === undefined) return [];
    if (call.errno !== undefined) {
      const to = step.call.on?.[call.errno] ?? step.call.on?.any;
      return to === undefined ? [] : [{ at: this.#at(to), registers, path }];
    }
    const kept = step.into === undefined ? registers : new Map(registers).set(step.into, BigInt(call.result));
    return [{ at: state.at + 1, registers: kept, path }];
  }

  /** Past what makes no system call, on every way that it can go. */
  #settle(states: readonly State[]): State[] {
    const seen = new Set<string>();
    const settled: State[] = [];
    const open = [...states];
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      const key = `${state.at} ${[...state.registers].join()}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const step = this.#steps[state.at];
      const isSeen = step === undefined || ['call', 'report', 'fail'].includes(step.kind);
      if (isSeen) settled.push(state);
      else open.push(...this.#pass(state, step));
    }
    return settled;
  }

  /** A step that cannot be seen: arithmetic on what is known of the registers, or a branch. */
  #pass(state: State, step: PlanStep): State[] {
    const next = { ...state, at: state.at + 1, registers: assigned(step, state.registers) };
    if (step.to === undefined) return [next];
    const holds = decide(step.text, state.registers);
    const taken = holds === false ? [] : [{ ...state, at: this.#at(step.to) }];
    return holds === true ? taken : [...taken, next];
  }

  #at(number: number): number {
    return this.#index.get(number) ?? this.#steps.length;
  }

  #compare(printed: readonly string[], seen: readonly string[], registers: Registers): Registers | undefined {
    const known = new Map(registers);
    for (const [position, text] of printed.entries()) {
      const other = seen[position];
      if (other === undefined) continue;
      const verdict = compareArgument(text, other, known);
      if (verdict === false) return undefined;
      if (verdict === true) this.#compared += 1;
    }
    return known;
  }
}

/**
 * Finds the host's printed calls among those that were seen, in their order.
 * @returns their positions
 * @throws {Error} the first that is not there
 */
export function walkHost(steps: readonly PlanStep[], calls: readonly TracedCall[], main: number): number[] {
  // A hook, a helper and the stage are executed by children of the host.
  const isHosts = ({ pid, name }: TracedCall): boolean => pid === main || name === 'execve';
  const registers = new Map<string, bigint>();
  const positions: number[] = [];
  for (const [printed, number] of hostCalls(steps)) {
    const from = (positions.at(-1) ?? -1) + 1;
    const at = calls.findIndex(
      (call, index) => index >= from && isHosts(call) && isSame(printed, call, registers),
    );
    if (at < 0) throw new Error(`not among the host's calls, or too early: step ${number}, ${printed.text}`);
    positions.push(at);
  }
  return positions;
}

interface PrintedCall {
  readonly text: string;
  readonly name: string;
  readonly arguments: readonly string[];
}

function hostCalls(steps: readonly PlanStep[]): (readonly [PrintedCall, number])[] {
  const ofHost = steps.filter(({ who }) => who === 'host');
  return ofHost.flatMap(({ call, calls = [], text, number }) => {
    if (call !== undefined) {
      return [[{ text, name: call.name, arguments: Object.values(call.arguments) }, number] as const];
    }
    return calls.map((one) => {
      const at = one.indexOf('(');
      const args = splitArguments(one.slice(at + 1, -1));
      return [{ text: one, name: one.slice(0, at), arguments: args }, number] as const;
    });
  });
}

/** arm64 has no mkdir(2), symlink(2) and rename(2): there it is mkdirat(AT_FDCWD, …). */
function isSame(printed: PrintedCall, call: TracedCall, registers: Map<string, bigint>): boolean {
  const isAt = call.name !== printed.name && call.name.replace(/at2?$/, '') === printed.name;
  const seen = isAt ? call.arguments.filter((text) => text !== 'AT_FDCWD') : call.arguments;
  if (!isAt && call.name !== printed.name) return false;
  const learned = new Map(registers);
  const fits = printed.arguments.every((text, index) => {
    const other = seen[index];
    return other === undefined || compareArgument(text, other, learned) !== false;
  });
  if (fits) for (const [name, value] of learned) registers.set(name, value);
  return fits;
}

function known(text: string, registers: Registers): bigint | undefined {
  if (/^-?(0x[0-9a-f]+|\d+)$/.test(text)) return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
  return registers.get(text);
}

const OPERATIONS: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  '+': (a, b) => BigInt.asIntN(64, a + b),
  '-': (a, b) => BigInt.asIntN(64, a - b),
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
};

/** What is known after `register = left + right`; a value from memory is not. */
function assigned({ into, text }: PlanStep, registers: Registers): Registers {
  if (into === undefined) return registers;
  const [left = '', sign, right = ''] = text.slice(`${into} = `.length).split(/ ([-+&|]) /, 3);
  const [a, b] = [known(left, registers), known(right, registers)];
  const value =
    sign === undefined ? a : a === undefined || b === undefined ? undefined : OPERATIONS[sign]?.(a, b);
  const after = new Map(registers);
  if (value === undefined) after.delete(into);
  else after.set(into, value);
  return after;
}

const COMPARISONS: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<u': (a, b) => BigInt.asUintN(64, a) < BigInt.asUintN(64, b),
};

/** Whether a branch is taken; undefined when what it depends on is not known. */
function decide(text: string, registers: Registers): boolean | undefined {
  if (text.startsWith('go to')) return true;
  const [, left = '', sign = '', right = ''] = /^if (.+) (==|!=|<|<u) (\S+) go to/.exec(text) ?? [];
  const [a, b] = [known(left, registers), known(right, registers)];
  return a === undefined || b === undefined ? undefined : COMPARISONS[sign]?.(a, b);
}
