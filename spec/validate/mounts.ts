/** Rules for `mounts` (config.md of the runtime-spec 1.3). What an option means is not known here. */

import type { Mount } from '../config/mount.ts';
import {
  also,
  type Check,
  list,
  object,
  PATH_BYTES_MAX,
  path,
  type Rule,
  required,
  text,
} from '../schema.ts';
import { idMappings } from './id-mappings.ts';

/** The data of mount(2) is one page with its NUL. */
const MOUNT_OPTION_BYTES_MAX = 4095;

/** As /proc/filesystems lists them, or with a subtype (`fuse.name`). */
const FILESYSTEM_TYPE_BYTES_MAX = 255;

const mappingsComeTogether: Rule<Mount> = ({ uidMappings, gidMappings }, at, report) => {
  if ((uidMappings === undefined) === (gidMappings === undefined)) return;
  if (uidMappings === undefined) report.add(`${at}.gidMappings`, 'must come with uidMappings');
  else report.add(`${at}.uidMappings`, 'must come with gidMappings');
};

export const mounts: Check<readonly Mount[]> = list(
  also(
    object<Mount>({
      destination: required(path()),
      type: text({ bytesMax: FILESYSTEM_TYPE_BYTES_MAX }),
      source: text({ bytesMax: PATH_BYTES_MAX }),
      options: list(text({ bytesMax: MOUNT_OPTION_BYTES_MAX })),
      uidMappings: idMappings,
      gidMappings: idMappings,
    }),
    mappingsComeTogether,
  ),
);
