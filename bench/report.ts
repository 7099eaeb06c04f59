// From times to a table, or to JSON.
import type { Times } from './alternate.ts';

export interface Line {
  readonly label: string;
  readonly minMs: number;
  readonly medianMs: number;
  /** By the label of the other: the median of the ratios of each round. */
  readonly ratios: Readonly<Record<string, number>>;
  /** The largest that one of its processes became. */
  readonly peakMb?: number;
}

/** At most `max` times as long as `of`. */
export interface Target {
  readonly label: string;
  readonly of: string;
  readonly max: number;
}

export interface Result extends Target {
  readonly ratio: number;
  readonly met: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Pair by pair: both of a pair met the same moment of the machine. */
export function medianRatio(times: readonly number[], others: readonly number[]): number {
  return median(times.map((time, round) => time / (others[round] ?? Number.NaN)));
}

/** The lines that were measured, each beside those of `references` that were. */
export function lines(times: Times, labels: readonly string[], references: readonly string[]): Line[] {
  return labels.flatMap((label) => {
    const own = times.get(label);
    if (own === undefined) return [];
    const ratios = references.flatMap((reference): [string, number][] => {
      const others = times.get(reference);
      return others === undefined || reference === label ? [] : [[reference, medianRatio(own, others)]];
    });
    const [minMs, medianMs] = [Math.min(...own), median(own)];
    return [{ label, minMs, medianMs, ratios: Object.fromEntries(ratios) }];
  });
}

export function results(times: Times, targets: readonly Target[]): Result[] {
  return targets.flatMap((target) => {
    const [own, others] = [times.get(target.label), times.get(target.of)];
    if (own === undefined || others === undefined) return [];
    const ratio = medianRatio(own, others);
    return [{ ...target, ratio, met: ratio <= target.max }];
  });
}

const LABEL_WIDTH = 30;

/** A column of the table: its head, and what it has for a line. */
type Column = readonly [head: string, cell: (line: Line) => string | undefined];

export function printTable(title: string, table: readonly Line[], decimals: number): void {
  const references = [...new Set(table.flatMap(({ ratios }) => Object.keys(ratios)))];
  const columns: readonly Column[] = [
    ['min', ({ minMs }) => minMs.toFixed(decimals)],
    ['median', ({ medianMs }) => medianMs.toFixed(decimals)],
    ...references.map((label): Column => [`/ ${label}`, ({ ratios }) => ratios[label]?.toFixed(2)]),
    ['peak MB', ({ peakMb }) => peakMb?.toFixed(0)],
  ];
  const shown = columns.filter(([, cell]) => table.some((line) => cell(line) !== undefined));
  const row = (label: string, cells: readonly string[]): string =>
    cells
      .reduce((text, cell, at) => text + cell.padStart(width(shown[at])), label.padEnd(LABEL_WIDTH))
      .trimEnd();
  console.log(
    `\n${row(
      title,
      shown.map(([head]) => head),
    )}`,
  );
  for (const line of table)
    console.log(
      row(
        line.label,
        shown.map(([, cell]) => cell(line) ?? ''),
      ),
    );
}

const width = (column: Column | undefined): number => Math.max(10, (column?.[0].length ?? 0) + 3);

export function printResults(all: readonly Result[]): void {
  console.log();
  for (const { label, of, max, ratio, met } of all) {
    console.log(`${label}: ${ratio.toFixed(2)} x ${of}; target ${max}: ${met ? 'met' : 'missed'}`);
  }
}
