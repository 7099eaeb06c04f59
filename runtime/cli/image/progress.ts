// How far an import is, on one line of a terminal.
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { ImportProgress } from '../../../image/import.ts';
import { formatBytes } from '../table.ts';

const STDERR = 2;

/** Ten times a second is as much as eyes want. */
const INTERVAL_MS = 100;

/** From the cursor to the end of the line. */
const ERASE = '\x1b[K';

export interface ProgressLine extends Disposable {
  readonly report: ((progress: ImportProgress) => void) | undefined;
}

/** Nothing is shown where standard error is not a terminal; the line is gone when this is disposed. */
export function progressLine(subject: string): ProgressLine {
  if (!isatty(STDERR)) return { report: undefined, [Symbol.dispose]: () => {} };
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    report(progress) {
      const now = performance.now();
      if (now - shownAt < INTERVAL_MS) return;
      shownAt = now;
      writeSync(STDERR, `\r${progressText(subject, progress)}${ERASE}`);
    },
    [Symbol.dispose]: () => {
      if (shownAt > 0) writeSync(STDERR, `\r${ERASE}`);
    },
  };
}

export function progressText(
  subject: string,
  { layers, layersDone, bytes, bytesDone }: ImportProgress,
): string {
  const percent = bytes === 0 ? 100 : Math.floor((100 * bytesDone) / bytes);
  const amount = `${formatBytes(bytesDone)} of ${formatBytes(bytes)}`;
  return `importing ${subject}: ${percent} %, ${amount}, layer ${Math.min(layersDone + 1, layers)} of ${layers}`;
}
