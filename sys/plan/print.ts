// A program as text: one line a step, arguments by name.
import { NEXT, type Operand, type Policies, type Program, type Step } from './program.ts';

export interface PrintedStep {
  readonly label: string;
  /** `openat2(root, "proc", open_how{…}, 24) → fd:/proc` */
  readonly text: string;
}

/** `<u` compares without signs. */
const SIGNS = { equal: '==', notEqual: '!=', below: '<u', less: '<' } as const;
const OPERATORS = { add: '+', subtract: '-', and: '&', or: '|' } as const;

export function printStep(step: Step, labels: ReadonlyMap<string, number>): PrintedStep {
  return { label: step.label, text: stepText(step, labels) };
}

export function printProgram(program: Program): PrintedStep[] {
  return program.steps.map((step) => printStep(step, program.labels));
}

function stepText(step: Step, labels: ReadonlyMap<string, number>): string {
  switch (step.kind) {
    case 'call': {
      const into = step.into === undefined ? '' : ` → ${step.into.name}`;
      const operands = step.operands.map(operandText).join(', ');
      return `${step.call}(${operands})${into}${policiesText(step.policies, labels)}`;
    }
    case 'branch': {
      const condition = `${operandText(step.left)} ${SIGNS[step.comparison]} ${operandText(step.right)}`;
      return step.comparison === 'equal' && step.left === step.right
        ? `go to ${labels.get(step.to)}`
        : `if ${condition} go to ${labels.get(step.to)}`;
    }
    case 'set': {
      const right = step.op === 'move' ? '' : ` ${OPERATORS[step.op]} ${operandText(step.right)}`;
      return `${step.into.name} = ${operandText(step.left)}${right}`;
    }
    case 'load':
      return `${step.into.name} = u${8 * step.width} at ${operandText(step.from)}`;
    case 'store':
      return `u${8 * step.width} at ${operandText(step.to)} = ${operandText(step.value)}`;
    case 'report':
      return `report ${operandText(step.value)}`;
    case 'fail':
      return `fail with ${step.errno}`;
  }
}

function operandText(operand: Operand): string {
  if (typeof operand === 'number') return Math.abs(operand) > 0xffff ? hex(operand) : String(operand);
  if (typeof operand === 'bigint') return hex(operand);
  switch (operand.kind) {
    case 'slot':
      return operand.name;
    case 'slotAddress':
      return `&${operand.slot.name}`;
    case 'place':
      return `&${operand.block.text}+${operand.offset}`;
    default:
      return operand.text;
  }
}

const hex = (value: number | bigint): string =>
  value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;

function policiesText(policies: Policies, labels: ReadonlyMap<string, number>): string {
  return policies
    .map(([errno, target]) => `; on ${errno} go to ${target === NEXT ? 'the next' : labels.get(target)}`)
    .join('');
}
