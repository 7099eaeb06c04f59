// Which layers containers stand on: they stay while the container's directory does, whatever becomes of the image.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { StackFile } from './layer-file.ts';
import { writeWhole } from './staging.ts';
import type { Store } from './store.ts';

export interface Lease {
  /** The container's directory. When it is gone, a crash or a reboot took the container, and the lease is void. */
  readonly directory: string;
  readonly layers: readonly { readonly diffId: string }[];
  readonly files: readonly StackFile[];
}

const leaseFile = (store: Store, directory: string): string =>
  path.join(
    store.directory('leases'),
    `${createHash('sha256').update(directory).digest('hex').slice(0, 32)}.json`,
  );

/** Not synced: after a power failure there are no containers that could need it. */
export function writeLease(store: Store, lease: Lease): void {
  writeWhole(store, leaseFile(store, lease.directory), JSON.stringify(lease), false);
}

export function removeLease(store: Store, directory: string): void {
  rmSync(leaseFile(store, directory), { force: true });
}

/** The valid ones; for the collector, which holds the store's lock alone, so the others can be removed. */
export function sweepLeases(store: Store): Lease[] {
  return readdirSync(store.directory('leases')).flatMap((name) => {
    const file = path.join(store.directory('leases'), name);
    const lease = parseLease(readFileSync(file, 'utf8'));
    if (lease !== undefined && existsSync(lease.directory)) return [lease];
    rmSync(file);
    return [];
  });
}

/** Undefined for what a power failure has cut off. */
function parseLease(text: string): Lease | undefined {
  try {
    return JSON.parse(text) as Lease;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
