// How many operands a command takes, from the text that names them.

export interface OperandCount {
  readonly min: number;
  readonly max: number;
}

export function operandCount(operands: string): OperandCount {
  const names = operands === '' ? [] : operands.split(' ');
  const min = names.filter((name) => name.startsWith('<')).length;
  const isOpen = names.some((name) => name.endsWith('...]') || name.endsWith('...>'));
  return { min, max: isOpen ? Number.POSITIVE_INFINITY : names.length };
}

/** In runc's words (its checkArgs), after `"state" requires `; undefined when the count is right. */
export function countProblem(operands: string, given: number): string | undefined {
  const { min, max } = operandCount(operands);
  if (given >= min && given <= max) return undefined;
  if (min === max) return `exactly ${min} argument(s)`;
  return given < min ? `a minimum of ${min} argument(s)` : `a maximum of ${max} argument(s)`;
}
