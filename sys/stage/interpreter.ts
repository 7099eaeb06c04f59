// The program inside the stage: it runs an encoded plan. Written once, assembled for each machine.
// No stack, no libc, no memory but the plan's own: so it is the same before and after any clone.
import { type Architecture, syscallNumber } from '../abi/syscalls.ts';
import { arm64Assembler } from './arm64.ts';
import { ARGUMENT_REGISTERS, type Assembler, type Condition, type Register } from './assembler.ts';
import {
  ANY_ERRNO,
  ARITHMETIC,
  CONDITION,
  ERRNO_MAX,
  HEADER,
  NO_SLOT,
  OP,
  PLAN_ADDRESS,
  REPORT,
  REPORT_KIND,
  REPORT_SLOT,
  STEP,
  TRACE,
  TRACE_SLOT,
} from './layout.ts';
import { x64Assembler } from './x64.ts';

const CLOCK_MONOTONIC = 1;
const EXIT_FAILURE = 1;

/** Machine code that expects an encoded plan at PLAN_ADDRESS, and starts at its first byte. */
export function assembleInterpreter(architecture: Architecture): Uint8Array {
  const asm = architecture === 'x64' ? x64Assembler() : arm64Assembler();
  const number = (name: 'write' | 'exit_group' | 'clock_gettime'): number =>
    syscallNumber(name, architecture);
  start(asm);
  dispatch(asm);
  call(asm);
  trace(asm, number('clock_gettime'), number('write'));
  errorPolicies(asm);
  branch(asm);
  set(asm);
  loadAndStore(asm);
  reports(asm, number('write'), number('exit_group'));
  return asm.finish();
}

function start(asm: Assembler): void {
  asm.moveImmediate('header', PLAN_ADDRESS);
  asm.load(8, 'steps', 'header', HEADER.steps);
  asm.load(8, 'slots', 'header', HEADER.slots);
  asm.move('step', 'steps');
  asm.jump('dispatch');
}

const HANDLERS = [
  [OP.call, 'call'],
  [OP.branch, 'branch'],
  [OP.set, 'set'],
  [OP.load, 'load'],
  [OP.store, 'store'],
  [OP.report, 'report'],
  [OP.fail, 'fail'],
] as const;

function dispatch(asm: Assembler): void {
  asm.label('next');
  asm.addImmediate('step', STEP.bytes);
  asm.label('dispatch');
  asm.load(1, 'scratch0', 'step', STEP.op);
  for (const [op, handler] of HANDLERS) {
    asm.compareImmediate('scratch0', op);
    asm.branch('equal', handler);
  }
  // An unknown operation is a step of zeros: the program ran past its end.
  asm.moveImmediate('right', 0);
  asm.jump('failed');
}

/** The operand's value: what it holds, or what the slot it names holds. */
function operand(asm: Assembler, index: number, to: Register, where: string): void {
  asm.load(8, to, 'step', STEP.operands + 8 * index);
  asm.load(1, 'scratch0', 'step', STEP.kinds + index);
  asm.compareImmediate('scratch0', 0);
  const ready = `${where}.operand${index}`;
  asm.branch('equal', ready);
  asm.arithmetic('add', to, 'slots');
  asm.load(8, to, to, 0);
  asm.label(ready);
}

/** Stores `from` in the step's destination slot, if it has one. */
function keep(asm: Assembler, from: Register, where: string): void {
  asm.load(2, 'scratch0', 'step', STEP.destination);
  asm.moveImmediate('scratch1', NO_SLOT);
  asm.compare('scratch0', 'scratch1');
  asm.branch('equal', `${where}.kept`);
  asm.shiftLeft('scratch0', 3);
  asm.arithmetic('add', 'scratch0', 'slots');
  asm.store(8, 'scratch0', 0, from);
  asm.label(`${where}.kept`);
}

function call(asm: Assembler): void {
  asm.label('call');
  ARGUMENT_REGISTERS.forEach((register, index) => {
    operand(asm, index, register, 'call');
  });
  asm.load(4, 'n', 'step', STEP.code);
  asm.systemCall();
  asm.move('left', 'n');
  keep(asm, 'left', 'call');
}

function trace(asm: Assembler, clockGettime: number, write: number): void {
  asm.load(8, 'a0', 'slots', 8 * TRACE_SLOT);
  asm.compareImmediate('a0', 0);
  asm.branch('less', 'untraced');
  asm.move('scratch0', 'step');
  asm.arithmetic('subtract', 'scratch0', 'steps');
  asm.store(8, 'header', HEADER.trace + TRACE.stepOffset, 'scratch0');
  asm.store(8, 'header', HEADER.trace + TRACE.result, 'left');
  asm.moveImmediate('a0', CLOCK_MONOTONIC);
  asm.move('a1', 'header');
  asm.addImmediate('a1', HEADER.trace + TRACE.seconds);
  asm.moveImmediate('n', clockGettime);
  asm.systemCall();
  asm.load(8, 'a0', 'slots', 8 * TRACE_SLOT);
  asm.move('a1', 'header');
  asm.addImmediate('a1', HEADER.trace);
  asm.moveImmediate('a2', TRACE.bytes);
  asm.moveImmediate('n', write);
  asm.systemCall();
  asm.label('untraced');
}

/** `left` is the result. A refusal that a policy names goes on at the policy's target; any other ends the stage. */
function errorPolicies(asm: Assembler): void {
  asm.moveImmediate('scratch0', -ERRNO_MAX);
  asm.compare('left', 'scratch0');
  asm.branch('below', 'next');
  asm.move('right', 'left');
  asm.negate('right');
  asm.load(1, 'scratch0', 'step', STEP.policies);
  asm.move('left', 'step');
  asm.label('policy');
  asm.compareImmediate('scratch0', 0);
  asm.branch('equal', 'failed');
  asm.load(2, 'scratch1', 'left', STEP.policy);
  asm.compare('scratch1', 'right');
  asm.branch('equal', 'policy.found');
  asm.moveImmediate('n', ANY_ERRNO);
  asm.compare('scratch1', 'n');
  asm.branch('equal', 'policy.found');
  asm.addImmediate('left', 4);
  asm.addImmediate('scratch0', -1);
  asm.jump('policy');
  asm.label('policy.found');
  asm.load(2, 'right', 'left', STEP.policy + 2);
  goTo(asm);
}

/** Continues at the step whose number `right` holds: step = steps + 96 × right, as 64 and 32 times. */
function goTo(asm: Assembler): void {
  asm.label('goTo');
  asm.shiftLeft('right', 5);
  asm.move('step', 'right');
  asm.shiftLeft('right', 1);
  asm.arithmetic('add', 'step', 'right');
  asm.arithmetic('add', 'step', 'steps');
  asm.jump('dispatch');
}

const CONDITIONS: readonly (readonly [number, Condition])[] = [
  [CONDITION.equal, 'equal'],
  [CONDITION.notEqual, 'notEqual'],
  [CONDITION.below, 'below'],
  [CONDITION.less, 'less'],
];

function branch(asm: Assembler): void {
  asm.label('branch');
  operand(asm, 0, 'left', 'branch');
  operand(asm, 1, 'right', 'branch');
  asm.load(2, 'scratch0', 'step', STEP.destination);
  for (const [code, condition] of CONDITIONS) {
    asm.compareImmediate('scratch0', code);
    asm.branch('notEqual', `branch.not.${condition}`);
    asm.compare('left', 'right');
    asm.branch(condition, 'branch.taken');
    asm.jump('next');
    asm.label(`branch.not.${condition}`);
  }
  asm.moveImmediate('right', 0);
  asm.jump('failed');
  asm.label('branch.taken');
  asm.load(4, 'right', 'step', STEP.code);
  asm.jump('goTo');
}

function set(asm: Assembler): void {
  asm.label('set');
  operand(asm, 0, 'left', 'set');
  operand(asm, 1, 'right', 'set');
  asm.load(4, 'scratch0', 'step', STEP.code);
  for (const op of ['add', 'subtract', 'and', 'or'] as const) {
    asm.compareImmediate('scratch0', ARITHMETIC[op]);
    asm.branch('notEqual', `set.not.${op}`);
    asm.arithmetic(op, 'left', 'right');
    asm.label(`set.not.${op}`);
  }
  keep(asm, 'left', 'set');
  asm.jump('next');
}

const WIDTHS = [1, 2, 4, 8] as const;

function loadAndStore(asm: Assembler): void {
  asm.label('load');
  operand(asm, 0, 'right', 'load');
  asm.load(4, 'scratch0', 'step', STEP.code);
  for (const width of WIDTHS) {
    asm.compareImmediate('scratch0', width);
    asm.branch('notEqual', `load.not.${width}`);
    asm.load(width, 'left', 'right', 0);
    asm.label(`load.not.${width}`);
  }
  keep(asm, 'left', 'load');
  asm.jump('next');

  asm.label('store');
  operand(asm, 0, 'left', 'store');
  operand(asm, 1, 'right', 'store');
  asm.load(4, 'scratch0', 'step', STEP.code);
  for (const width of WIDTHS) {
    asm.compareImmediate('scratch0', width);
    asm.branch('notEqual', `store.not.${width}`);
    asm.store(width, 'left', 0, 'right');
    asm.label(`store.not.${width}`);
  }
  asm.jump('next');
}

/** Writes a report of kind `right` with the value in `left`. */
function writeReport(asm: Assembler, write: number): void {
  asm.move('scratch0', 'step');
  asm.arithmetic('subtract', 'scratch0', 'steps');
  asm.store(8, 'header', HEADER.report + REPORT.stepOffset, 'scratch0');
  asm.store(8, 'header', HEADER.report + REPORT.kind, 'right');
  asm.store(8, 'header', HEADER.report + REPORT.value, 'left');
  asm.load(8, 'a0', 'slots', 8 * REPORT_SLOT);
  asm.move('a1', 'header');
  asm.addImmediate('a1', HEADER.report);
  asm.moveImmediate('a2', REPORT.bytes);
  asm.moveImmediate('n', write);
  asm.systemCall();
}

function reports(asm: Assembler, write: number, exitGroup: number): void {
  asm.label('report');
  operand(asm, 0, 'left', 'report');
  asm.moveImmediate('right', REPORT_KIND.sync);
  writeReport(asm, write);
  // A host that is gone will never say go on. (SIGPIPE does not end a process that is pid 1 of its namespace.)
  asm.compareImmediate('n', REPORT.bytes);
  asm.branch('notEqual', 'exit');
  asm.jump('next');

  asm.label('fail');
  operand(asm, 0, 'right', 'fail');
  asm.label('failed');
  asm.move('left', 'right');
  asm.moveImmediate('right', REPORT_KIND.error);
  writeReport(asm, write);
  asm.label('exit');
  asm.moveImmediate('a0', EXIT_FAILURE);
  asm.moveImmediate('n', exitGroup);
  asm.systemCall();
}
