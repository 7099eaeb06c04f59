// One line on standard error that says how far an import is; only where somebody looks at it.

import type { ImportProgress } from '../../image/import.ts';
import { isTerminal } from '../../sys/terminal.ts';
import { erase } from './output.ts';

/** Ten times a second is as fast as anyone reads. */
const INTERVAL_MS = 100;
const BAR_CELLS = 24;
const MEGABYTE = 1_000_000;

export interface ProgressLine {
  show(progress: ImportProgress): void;
  clear(): void;
}

export function importProgress(what: string, fd = 2): ProgressLine {
  if (!isTerminal(fd)) return { show: () => {}, clear: () => {} };
  let shown = Number.NEGATIVE_INFINITY;
  return {
    show(progress) {
      const now = performance.now();
      if (now - shown < INTERVAL_MS) return;
      shown = now;
      erase(progressText(what, progress));
    },
    clear() {
      if (shown !== Number.NEGATIVE_INFINITY) erase('');
    },
  };
}

/** `importing oci:debian  [#####----]  31 of 74 MB, 2 of 6 layers` */
export function progressText(what: string, { layers, layersDone, bytes, bytesDone }: ImportProgress): string {
  const filled = bytes === 0 ? BAR_CELLS : Math.min(BAR_CELLS, Math.floor((BAR_CELLS * bytesDone) / bytes));
  const bar = '#'.repeat(filled).padEnd(BAR_CELLS, '-');
  const megabytes = `${Math.round(bytesDone / MEGABYTE)} of ${Math.round(bytes / MEGABYTE)} MB`;
  return `importing ${what}  [${bar}]  ${megabytes}, ${layersDone} of ${layers} layers`;
}
