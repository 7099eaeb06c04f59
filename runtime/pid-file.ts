// --pid-file: for whoever supervises the container.
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Digits without a newline, in place as a whole or not at all, as runc writes it. */
export function writePidFile(path: string, pid: number): void {
  const temporary = join(dirname(path), `.${basename(path)}`);
  const fd = openSync(temporary, 'wx', 0o644);
  try {
    writeSync(fd, String(pid));
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
}
