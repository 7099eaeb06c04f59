/**
 * `config.json` of the runtime-spec 1.3, as the standard spells it: what a `Config` holds has passed `validate.ts`.
 * Properties of other platforms (`windows`, `process.commandLine`, ...) are ignored and have no type here.
 */

import type { Hooks } from './config/hooks.ts';
import type { Linux } from './config/linux.ts';
import type { Mount } from './config/mount.ts';
import type { Process } from './config/process.ts';
import type { Vm } from './config/vm.ts';

/** config.md "Root". `path` is absolute or relative to the bundle. */
export interface Root {
  readonly path: string;
  readonly readonly?: boolean;
}

export interface Config {
  readonly ociVersion: string;
  /** May be absent at `create`; `start` needs it. */
  readonly process?: Process;
  readonly root: Root;
  readonly hostname?: string;
  readonly domainname?: string;
  /** In the order in which they are mounted. */
  readonly mounts?: readonly Mount[];
  readonly hooks?: Hooks;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: Linux;
  readonly vm?: Vm;
}
