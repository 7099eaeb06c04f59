/** Id mappings of a user namespace or a mount: what user_namespaces(7) and the kernel's map_write() accept. */

import type { IdMapping } from '../config/linux.ts';
import { also, type Check, integer, list, object, type Rule, required } from '../schema.ts';

/** 4294967295 is (uid_t)-1, which to setresuid(2) means "leave it": never an id. */
const ID_MAX = 0xffff_fffe;

/** UID_GID_MAP_MAX_EXTENTS of Linux 4.15 and later. */
const ID_MAPPINGS_MAX = 340;

export const id = integer(0, ID_MAX);

const mapping = also(
  object<IdMapping>({
    containerID: required(id),
    hostID: required(id),
    size: required(integer(1, ID_MAX + 1)),
  }),
  ({ containerID, hostID, size }, at, report) => {
    if (Math.max(containerID, hostID) + size - 1 > ID_MAX) {
      report.add(`${at}.size`, `must not lead past id ${ID_MAX}`);
    }
  },
);

/** The kernel refuses a map when two lines of it share an id on either side. */
const noOverlap: Rule<readonly IdMapping[]> = (mappings, at, report) => {
  for (const side of ['containerID', 'hostID'] as const) {
    const byStart = mappings.map((entry, index) => ({
      index,
      start: entry[side],
      end: entry[side] + entry.size,
    }));
    byStart.sort((a, b) => a.start - b.start);
    let end = 0;
    for (const range of byStart) {
      if (range.start < end) report.add(`${at}[${range.index}].${side}`, 'must not overlap another mapping');
      end = Math.max(end, range.end);
    }
  }
};

export const idMappings: Check<readonly IdMapping[]> = also(
  list(mapping, { lengthMax: ID_MAPPINGS_MAX }),
  noOverlap,
);

export function isMapped(mappings: readonly IdMapping[], containerId: number): boolean {
  return mappings.some(
    ({ containerID, size }) => containerId >= containerID && containerId < containerID + size,
  );
}
