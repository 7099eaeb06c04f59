/** An argument as a plan prints it, beside the same as strace decodes it. */
import { splitArguments, unquote } from './strace.ts';

/** undefined: the two cannot be compared. Descriptors are learned from the first call that names them. */
export function compareArgument(
  printed: string,
  seen: string,
  registers: Map<string, bigint> = new Map(),
): boolean | undefined {
  if (printed === 'PID') return undefined;
  if (printed.startsWith('"')) return seen.startsWith('"') && sameText(JSON.parse(printed), unquote(seen));
  if (printed.startsWith('["') && seen.startsWith('[')) return sameStrings(printed, seen);
  if (/^\{\w+=/.test(printed)) return sameStruct(printed, seen);
  if (/^-?(0x[0-9a-f]+|\d+)$/.test(printed)) return sameNumber(printed, seen);
  if (/^[A-Z][A-Z0-9_]*(\|[A-Z0-9_a-fx]+)*$/.test(printed)) return sameFlags(printed, seen);
  if (!/^\d+$/.test(seen)) return undefined;
  const known = registers.get(printed);
  registers.set(printed, BigInt(seen));
  return known === undefined ? undefined : known === BigInt(seen);
}

/** N is a descriptor's number, PID a process's. */
function sameText(printed: string, seen: string): boolean {
  const pattern = printed.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\b(N|PID)\b/g, '\\d+');
  return new RegExp(`^${pattern}$`, 's').test(seen);
}

function sameStrings(printed: string, seen: string): boolean {
  const wanted = JSON.parse(printed) as string[];
  const found = splitArguments(seen.slice(1, -1)).map(unquote);
  return wanted.length === found.length && wanted.every((text, index) => sameText(text, found[index] ?? ''));
}

function sameStruct(printed: string, seen: string): boolean | undefined {
  if (!seen.startsWith('{')) return undefined;
  const fields = (text: string): Map<string, string> =>
    new Map(
      splitArguments(text.slice(1, -1)).map((field): [string, string] => {
        const at = field.indexOf('=');
        return [field.slice(0, at), field.slice(at + 1)];
      }),
    );
  const found = fields(seen);
  return [...fields(printed)].every(
    ([name, value]) => compareArgument(value, found.get(name) ?? '') !== false,
  );
}

function sameNumber(printed: string, seen: string): boolean | undefined {
  if (!/^-?(0x[0-9a-f]+|\d+)$/.test(seen)) return undefined;
  const number = (text: string): number => (/^0\d/.test(text) ? Number.parseInt(text, 8) : Number(text));
  return number(printed) === number(seen);
}

/** Names of a value of zero, which strace adds. */
const EMPTY_NAMES = new Set(['O_RDONLY', 'F_OK', 'AT_STATX_SYNC_AS_STAT', '0']);

/** What is the same for strace 6.1. */
// biome-ignore format: a table
const OTHER_NAMES: Readonly<Record<string, string>> = {
  '4294967295': 'UINT_MAX', '~0U': 'UINT_MAX', '0x10': 'MFD_EXEC', '0x20': 'F_SEAL_EXEC',
  MOUNT_ATTR__ATIME: 'MOUNT_ATTR_NOATIME|MOUNT_ATTR_STRICTATIME|0x40',
};

function sameFlags(printed: string, seen: string): boolean | undefined {
  if (!OTHER_NAMES[seen] && /^(0x[0-9a-f]+|[1-9]\d*)$/.test(seen)) return undefined;
  const names = (text: string): string[] =>
    text
      .split('|')
      .flatMap((name) => (OTHER_NAMES[name] ?? name).split('|'))
      .filter((name) => !EMPTY_NAMES.has(name))
      .sort();
  return names(printed).join('|') === names(seen).join('|');
}
