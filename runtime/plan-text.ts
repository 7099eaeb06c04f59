// A plan for people: one line a step.
import type { Plan, PlanStep } from './plan.ts';

export interface TextOptions {
  /** Of the terminal: longer lines are cut. Without one nothing is. */
  readonly width?: number;
  readonly color: boolean;
}

/** Longer strings and lists are cut in the text; the JSON form has all of them. */
const STRING_MAX = 60;
const LIST_MAX = 80;

/** Most labels are shorter; those that are not move their line's system call to the right. */
const LABEL_MAX = 48;
/** Of a narrow terminal. */
const LABEL_SHARE = 0.4;
const GAP = 2;

const CREATED = 'here create ends: the container is created, and the rest happens at start';

export function planText(plan: Plan, options: TextOptions): string {
  const { steps } = plan;
  const count = (who: PlanStep['who']): number => steps.filter((step) => step.who === who).length;
  const heading = `plan for ${JSON.stringify(plan.bundle)}: ${count('host')} steps of the host, ${count('stage')} of the stage`;
  const columns = columnsFor(steps, options);
  const lines = [remark(heading, options)];
  steps.forEach((step, index) => {
    if (step.phase === 'start' && steps[index - 1]?.phase === 'create') lines.push(remark(CREATED, options));
    lines.push(line(step, columns, options));
  });
  return lines.map((text) => `${text}\n`).join('');
}

interface Columns {
  readonly number: number;
  readonly label: number;
}

function columnsFor(steps: readonly PlanStep[], { width }: TextOptions): Columns {
  const longest = Math.max(0, ...steps.map(({ label }) => label.length));
  const share = width === undefined ? LABEL_MAX : Math.floor(width * LABEL_SHARE);
  return { number: String(steps.length).length, label: Math.min(longest, LABEL_MAX, share) };
}

function line(step: PlanStep, columns: Columns, options: TextOptions): string {
  const number = String(step.number).padStart(columns.number);
  const who = step.who.padEnd('stage'.length);
  const isCut = options.width !== undefined;
  const label = (isCut ? cut(step.label, columns.label) : step.label).padEnd(columns.label);
  const before = columns.number + 'stage'.length + columns.label + 3 * GAP;
  const text = isCut
    ? cut(shorten(step.text), Math.max(0, (options.width ?? 0) - before))
    : shorten(step.text);
  const paint = painter(options.color);
  const gap = ' '.repeat(GAP);
  const colored = [
    paint('dim', number),
    paint(step.who, who),
    label,
    paint(isJump(step) ? 'dim' : 'none', text),
  ];
  return colored.join(gap).trimEnd();
}

/** What only decides where to go on. */
const isJump = ({ kind }: PlanStep): boolean => kind === 'branch' || kind === 'set' || kind === 'load';

const remark = (text: string, { width, color }: TextOptions): string =>
  painter(color)('dim', width === undefined ? `# ${text}` : cut(`# ${text}`, width));

const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`;

function shorten(text: string): string {
  return text
    .replace(/"(?:[^"\\]|\\.)*"/g, (string) =>
      string.length <= STRING_MAX ? string : `${string.slice(0, STRING_MAX - 2)}…"`,
    )
    .replace(/\[[^\]]*\]/g, (list) => (list.length <= LIST_MAX ? list : `${list.slice(0, LIST_MAX - 2)}…]`));
}

/** ECMA-48 "select graphic rendition". */
const STYLES = { none: '', dim: '2', host: '36', stage: '32' } as const;

const painter =
  (color: boolean) =>
  (style: keyof typeof STYLES, text: string): string =>
    !color || STYLES[style] === '' ? text : `\x1b[${STYLES[style]}m${text}\x1b[0m`;
