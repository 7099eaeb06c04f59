// What one layer may cost. A limit that is met is an error, never a truncation.

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

export interface LayerLimits {
  /** One PAX header, GNU long name or sparse map: it is held in memory (CVE-2017-14992, CVE-2022-2879, CVE-2025-58183). */
  readonly extendedHeaderBytes: number;
  /** A path in an entry, PATH_MAX of the kernel. */
  readonly nameBytes: number;
  /** A component of a path, NAME_MAX of the kernel and of EROFS. */
  readonly componentBytes: number;
  /** Directories on the way to an entry, symbolic links followed. */
  readonly depth: number;
  /** Directories of the layer: one long name can imply hundreds, which cost some 500 bytes each. */
  readonly directories: number;
  /** Components that are looked up for all paths of the layer: through links, one path can have 80,000. */
  readonly lookups: number;
  /** One value: EROFS has 16 bits for its length, one less than the kernel's XATTR_SIZE_MAX needs. */
  readonly xattrValueBytes: number;
  /** Extended attributes of one entry. */
  readonly xattrs: number;
  /** Names and values of one entry's attributes: EROFS counts them in 65,535 units of 4 bytes. */
  readonly xattrBytes: number;
  /** Headers in the archive, extended ones included; each kept entry costs about 150 bytes of memory. */
  readonly entries: number;
  /** Names, link targets, attributes and sparse maps of the whole layer, which stay in memory until its end. */
  readonly metadataBytes: number;
  /** The archive, and what its files say they hold (a sparse file says more than it stores). */
  readonly totalBytes: number;
  /** Uncompressed bytes for each compressed one, once more than {@link expansionFreeBytes} have come out. */
  readonly expansionRatio: number;
  readonly expansionFreeBytes: number;
}

export const DEFAULT_LIMITS: LayerLimits = {
  extendedHeaderBytes: MiB,
  nameBytes: 4096,
  componentBytes: 255,
  depth: 1024,
  directories: 250_000,
  lookups: 50_000_000,
  xattrValueBytes: 64 * KiB - 1,
  xattrs: 256,
  xattrBytes: 192 * KiB,
  entries: 1_500_000,
  metadataBytes: 128 * MiB,
  totalBytes: 128 * GiB,
  // gzip ends at 1032; the largest seen in images that people use are about 30.
  expansionRatio: 200,
  expansionFreeBytes: GiB,
};
