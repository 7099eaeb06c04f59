/** runtime.md "State" of the runtime-spec 1.3, and what a seccomp agent gets (config-linux.md). */

/** The standard's four; `paused` is runc's. */
export const STATUSES = ['creating', 'created', 'running', 'paused', 'stopped'] as const;

export type Status = (typeof STATUSES)[number];

/** What `state` prints and hooks read on stdin. */
export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: Status;
  /** As the reader sees it: on the host, or in the container. Absent or 0 when stopped. */
  readonly pid?: number;
  /** Absolute. */
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Sent to `linux.seccomp.listenerPath`, with the descriptors that `fds` names. */
export interface ContainerProcessState {
  readonly ociVersion: string;
  readonly fds: readonly string[];
  readonly pid: number;
  readonly metadata?: string;
  readonly state: State;
}
