// Files become part of the store whole or not at all: written under another name, synced, renamed.

import { randomBytes } from 'node:crypto';
import { closeSync, fsync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Fd } from '../../sys/fd.ts';
import type { Store } from './store.ts';

const syncFile = promisify(fsync);

/** A file of its own in `staging`, for reading and writing; what a dead process left there is written over. */
export function openStaged(file: string): Fd {
  return new Fd(openSync(file, 'w+', 0o600));
}

/** Where an archive that cannot be read in place is unpacked to: a file without a name, gone with its descriptor. */
export function openSpool(store: Store): Fd {
  const file = stagingPath(store, `spool-${randomBytes(8).toString('hex')}`);
  const fd = new Fd(openSync(file, 'wx+', 0o600));
  rmSync(file);
  return fd;
}

export const stagingPath = (store: Store, name: string): string =>
  path.join(store.directory('staging'), name);

/** The finished file takes its place, and is there after a power failure too. */
export async function publish(fd: Fd, staged: string, place: string): Promise<void> {
  await syncFile(fd.number);
  mkdirSync(path.dirname(place), { recursive: true, mode: 0o700 });
  renameSync(staged, place);
  syncDirectory(path.dirname(place));
}

/** A small file, replaced at once for whoever reads it. */
export function writeWhole(store: Store, place: string, content: string, isDurable: boolean): void {
  const staged = stagingPath(store, `write-${randomBytes(8).toString('hex')}`);
  try {
    writeFileSync(staged, content, { mode: 0o600, flag: 'wx', flush: isDurable });
    mkdirSync(path.dirname(place), { recursive: true, mode: 0o700 });
    renameSync(staged, place);
  } catch (error) {
    rmSync(staged, { force: true });
    throw error;
  }
  if (isDurable) syncDirectory(path.dirname(place));
}

function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
