// A program as text: one line a step, arguments by name.
import { hex, plain } from './numbers.ts';
import { type CallStep, NEXT, type Operand, type Policies, type Program, type Step } from './program.ts';
import { type Parameter, signatureOf } from './signatures.ts';

export interface PrintedStep {
  readonly label: string;
  /** `openat2(root, "proc", open_how{…}, 24) → fd:/proc` */
  readonly text: string;
}

/** A step's number as it is printed, from its index in the program. */
export type Numbering = (index: number) => number;

/** `<u` compares without signs. */
const SIGNS = { equal: '==', notEqual: '!=', below: '<u', less: '<' } as const;
const OPERATORS = { add: '+', subtract: '-', and: '&', or: '|' } as const;

export function printProgram(program: Program): PrintedStep[] {
  return program.steps.map((step) => ({ label: step.label, text: stepText(step, program.labels) }));
}

export function stepText(
  step: Step,
  labels: ReadonlyMap<string, number>,
  numbering: Numbering = (index) => index,
): string {
  const numberOf = (target: string): number => numbering(labels.get(target) ?? Number.NaN);
  switch (step.kind) {
    case 'call': {
      const into = step.into === undefined ? '' : ` → ${step.into.name}`;
      const operands = callArguments(step).map(([, text]) => text);
      return `${step.call}(${operands.join(', ')})${into}${policiesText(step.policies, numberOf)}`;
    }
    case 'branch': {
      const condition = `${operandText(step.left)} ${SIGNS[step.comparison]} ${operandText(step.right)}`;
      return step.comparison === 'equal' && step.left === step.right
        ? `go to ${numberOf(step.to)}`
        : `if ${condition} go to ${numberOf(step.to)}`;
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

/** Each argument by the manual page's name for it; numbers as flags where the call takes flags. */
export function callArguments({
  call,
  operands,
}: CallStep): readonly (readonly [name: string, text: string])[] {
  const signature = signatureOf(call) ?? [];
  let used = operands.length;
  while (used > 0 && signature[used - 1]?.optional === true && operands[used - 1] === 0) used -= 1;
  return operands.slice(0, used).map((operand, position) => {
    const parameter = signature[position];
    return [parameter?.name ?? `argument${position}`, argumentText(operand, parameter)];
  });
}

function argumentText(operand: Operand, parameter: Parameter | undefined): string {
  if (parameter === undefined) return operandText(operand);
  if (typeof operand === 'number' || typeof operand === 'bigint') return parameter.show(operand);
  if (parameter.struct !== undefined && operand.kind === 'block') return parameter.struct(operand.bytes);
  return operandText(operand);
}

function operandText(operand: Operand): string {
  if (typeof operand === 'number') return plain(operand);
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

function policiesText(policies: Policies, numberOf: (target: string) => number): string {
  return policies
    .map(([errno, target]) =>
      target === NEXT ? `; ${errno} is fine` : `; on ${errno} go to ${numberOf(target)}`,
    )
    .join('');
}
