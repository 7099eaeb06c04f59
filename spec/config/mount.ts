/** config.md "Mounts" of the runtime-spec 1.3. */

import type { IdMapping } from './linux.ts';

export interface Mount {
  /** Should be absolute; a relative one is relative to `/`. */
  readonly destination: string;
  readonly type?: string;
  /** Of a bind mount: absolute, or relative to the bundle. */
  readonly source?: string;
  readonly options?: readonly string[];
  /** Both or neither. */
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
}
