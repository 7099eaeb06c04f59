// A container as `state` and `list` show it, in runc's order of keys.
import type { Status } from '../spec/state.ts';
import { type Container, shownPid } from './container.ts';

export interface ShownState {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: Status;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Empty in `state`; in `list` the user's name, or `#uid`. */
  readonly owner: string;
}

export function shownState(container: Container, owner: string): ShownState {
  const { saved, status } = container;
  return {
    ociVersion: saved.ociVersion,
    id: saved.id,
    pid: shownPid(container),
    status,
    bundle: saved.bundle,
    rootfs: saved.rootfs,
    created: saved.created,
    ...(saved.annotations === undefined ? {} : { annotations: saved.annotations }),
    owner,
  };
}
