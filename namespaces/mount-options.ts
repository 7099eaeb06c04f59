// Mount options by their names in config.json.
// Source: runtime-spec config.md "Linux mount options", mount(8), and what runc takes.
import {
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MS_PRIVATE,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
} from '../sys/abi/constants.ts';

export interface MountOption {
  /** Attributes of the mount, MOUNT_ATTR_*. */
  readonly set?: number;
  readonly clear?: number;
  /** The same for the mount and all below it. */
  readonly recursive?: true;
  /** A flag of the file system instance, as fsconfig(2) spells it. */
  readonly superFlag?: string;
  readonly bind?: 'bind' | 'rbind';
  readonly propagation?: { readonly type: number; readonly recursive: boolean };
  readonly extension?: 'tmpcopyup' | 'idmap';
}

const ATIME = MOUNT_ATTR__ATIME;

// biome-ignore format: a table
const ATTRIBUTES: readonly [name: string, set: number, clear: number][] = [
  ['ro',            MOUNT_ATTR_RDONLY,      0],
  ['rw',            0,                      MOUNT_ATTR_RDONLY],
  ['nosuid',        MOUNT_ATTR_NOSUID,      0],
  ['suid',          0,                      MOUNT_ATTR_NOSUID],
  ['nodev',         MOUNT_ATTR_NODEV,       0],
  ['dev',           0,                      MOUNT_ATTR_NODEV],
  ['noexec',        MOUNT_ATTR_NOEXEC,      0],
  ['exec',          0,                      MOUNT_ATTR_NOEXEC],
  ['nosymfollow',   MOUNT_ATTR_NOSYMFOLLOW, 0],
  ['symfollow',     0,                      MOUNT_ATTR_NOSYMFOLLOW],
  ['nodiratime',    MOUNT_ATTR_NODIRATIME,  0],
  ['diratime',      0,                      MOUNT_ATTR_NODIRATIME],
  // The atime modes exclude each other; relatime is the kernel's own choice, with value 0.
  ['relatime',      0,                      ATIME],
  ['norelatime',    0,                      ATIME],
  ['noatime',       MOUNT_ATTR_NOATIME,     ATIME],
  ['atime',         0,                      ATIME],
  ['strictatime',   MOUNT_ATTR_STRICTATIME, ATIME],
  ['nostrictatime', 0,                      ATIME],
];

// Names whose meaning is a flag of the file system instance, and the negations that clear one.
// biome-ignore format: a table
const SUPER_FLAGS: readonly [name: string, flag: string][] = [
  ['sync', 'sync'], ['async', 'async'], ['dirsync', 'dirsync'], ['lazytime', 'lazytime'],
  ['nolazytime', 'nolazytime'], ['mand', 'mand'], ['nomand', 'nomand'],
];

/** Options that ask for what is so anyway: defaults, and flags that the kernel has given up. */
const WITHOUT_EFFECT = ['defaults', 'silent', 'loud', 'iversion', 'noiversion', 'remount'] as const;

const PROPAGATIONS = {
  private: MS_PRIVATE,
  shared: MS_SHARED,
  slave: MS_SLAVE,
  unbindable: MS_UNBINDABLE,
} as const;

const MOUNT_OPTIONS: ReadonlyMap<string, MountOption> = new Map([
  ...ATTRIBUTES.flatMap(([name, set, clear]): [string, MountOption][] => [
    [name, { set, clear }],
    [`r${name}`, { set, clear, recursive: true }],
  ]),
  ...SUPER_FLAGS.map(([name, superFlag]): [string, MountOption] => [name, { superFlag }]),
  ...WITHOUT_EFFECT.map((name): [string, MountOption] => [name, {}]),
  ...Object.entries(PROPAGATIONS).flatMap(([name, type]): [string, MountOption][] => [
    [name, { propagation: { type, recursive: false } }],
    [`r${name}`, { propagation: { type, recursive: true } }],
  ]),
  ['bind', { bind: 'bind' }] as [string, MountOption],
  ['rbind', { bind: 'rbind' }] as [string, MountOption],
  ['tmpcopyup', { extension: 'tmpcopyup' }] as [string, MountOption],
  ['idmap', { extension: 'idmap' }] as [string, MountOption],
  ['ridmap', { extension: 'idmap' }] as [string, MountOption],
]);

/** What `hull features` lists. */
export const MOUNT_OPTION_NAMES: readonly string[] = [...MOUNT_OPTIONS.keys()].sort();

export interface Attributes {
  readonly set: number;
  readonly clear: number;
}

export interface MountFlags {
  readonly attributes: Attributes;
  readonly recursiveAttributes: Attributes;
  readonly superFlags: readonly string[];
  readonly bind: 'bind' | 'rbind' | undefined;
  /** In the order given: one call each. */
  readonly propagation: readonly { readonly type: number; readonly recursive: boolean }[];
  readonly extensions: readonly string[];
  /** What no table knows is the file system's own business: `size=64k`. */
  readonly data: readonly string[];
}

const NONE: Attributes = { set: 0, clear: 0 };

/** The later option wins, bit by bit: a set forgets an earlier clear, and the other way round. */
function merge(sum: Attributes, { set = 0, clear = 0 }: MountOption): Attributes {
  return { set: (sum.set & ~clear) | set, clear: (sum.clear & ~set) | clear };
}

export function parseMountOptions(options: readonly string[]): MountFlags {
  let attributes = NONE;
  let recursiveAttributes = NONE;
  let bind: 'bind' | 'rbind' | undefined;
  const superFlags: string[] = [];
  const propagation: { type: number; recursive: boolean }[] = [];
  const extensions: string[] = [];
  const data: string[] = [];
  for (const name of options) {
    const option = MOUNT_OPTIONS.get(name);
    if (option === undefined) data.push(name);
    else if (option.bind !== undefined) bind = option.bind;
    else if (option.propagation !== undefined) propagation.push(option.propagation);
    else if (option.extension !== undefined) extensions.push(option.extension);
    else if (option.superFlag !== undefined) superFlags.push(option.superFlag);
    else if (option.recursive) recursiveAttributes = merge(recursiveAttributes, option);
    else attributes = merge(attributes, option);
  }
  return { attributes, recursiveAttributes, superFlags, bind, propagation, extensions, data };
}

// biome-ignore format: a table
const ATTRIBUTE_NAMES: readonly [number, string][] = [
  [MOUNT_ATTR_RDONLY, 'ro'], [MOUNT_ATTR_NOSUID, 'nosuid'], [MOUNT_ATTR_NODEV, 'nodev'], [MOUNT_ATTR_NOEXEC, 'noexec'],
  [MOUNT_ATTR_NOATIME, 'noatime'], [MOUNT_ATTR_STRICTATIME, 'strictatime'], [MOUNT_ATTR_NODIRATIME, 'nodiratime'],
  [MOUNT_ATTR_NOSYMFOLLOW, 'nosymfollow'],
];

/** `ro,nosuid`, for the printed plan. */
export function attributesText(attributes: number): string {
  return ATTRIBUTE_NAMES.filter(([bit]) => (attributes & bit) !== 0)
    .map(([, name]) => name)
    .join(',');
}
