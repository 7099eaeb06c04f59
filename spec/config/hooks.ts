/** config.md "POSIX-platform Hooks" of the runtime-spec 1.3. */

/** In the order in which they run. */
export const HOOK_NAMES = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;

export type HookName = (typeof HOOK_NAMES)[number];

export interface Hook {
  /** Absolute; of `startContainer` in the container, of the others on the host. */
  readonly path: string;
  /** With argv[0]. */
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds, more than zero. */
  readonly timeout?: number;
}

export type Hooks = { readonly [K in HookName]?: readonly Hook[] };
