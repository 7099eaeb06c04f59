// Columns of text that fit a terminal.

const GAP = '  ';

/** Enough of a cell to recognise it by. */
const SHORTENED_MIN = 12;

export interface TableOptions {
  /** Of the terminal; without one, nothing is shortened. */
  readonly columns?: number | undefined;
  /** Numbers end where the column does. */
  readonly alignRight?: readonly number[];
}

/**
 * The first column gives way where a line would not fit; the others are short by nature. Programs read the same
 * lines, unshortened, since what they read is not a terminal.
 */
export function formatTable(rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const others = widths.slice(1).reduce((sum, width) => sum + width + GAP.length, 0);
  const room = Math.max((options.columns ?? Number.POSITIVE_INFINITY) - others, SHORTENED_MIN);
  widths[0] = Math.min(widths[0] ?? 0, room);
  const right = new Set(options.alignRight);
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.has(column) ? cell.padStart(width) : shorten(cell, width).padEnd(width);
      })
      .join(GAP)
      .trimEnd(),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** The end of a name says more than its middle: the tag is there. */
function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  const end = Math.floor((width - 1) / 2);
  return `${text.slice(0, width - 1 - end)}…${text.slice(text.length - end)}`;
}

/** Decimal, as disks are sold and `docker images` shows them: `1.25 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}
