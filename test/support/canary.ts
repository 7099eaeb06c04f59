/** A tree outside of every bundle that no container may reach: any change to it is an escape. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { xattr } from './compile.ts';

export const CANARY_TOKEN = 'canary-0f3b1c';

/** Files, a directory, a link and extended attributes: one of each thing that an escape could change. */
export function makeCanary(directory: string): void {
  mkdirSync(path.join(directory, 'directory'), { recursive: true, mode: 0o755 });
  writeFileSync(path.join(directory, 'canary'), `${CANARY_TOKEN}\n`, { mode: 0o644 });
  writeFileSync(path.join(directory, 'directory/file'), 'kept\n', { mode: 0o640 });
  symlinkSync('canary', path.join(directory, 'link'));
  execFileSync(xattr(), ['set', path.join(directory, 'canary'), 'trusted.canary', 'kept']);
}

function describe(file: string): string {
  const stat = lstatSync(file, { bigint: true });
  const parts: (string | number | bigint)[] = [
    stat.mode.toString(8),
    stat.uid,
    stat.gid,
    stat.rdev,
    stat.nlink,
  ];
  // A directory's size and times change with its entries, which are listed themselves.
  if (!stat.isDirectory()) parts.push(stat.size, stat.mtimeNs);
  if (stat.isFile()) parts.push(createHash('sha256').update(readFileSync(file)).digest('hex'));
  if (stat.isSymbolicLink()) parts.push(readlinkSync(file));
  return parts.join(' ');
}

/** Not by readdir's own recursion, which follows links to directories. */
function filesBeneath(directory: string): string[] {
  const entries = readdirSync(directory, { withFileTypes: true });
  const beneath = entries.flatMap((entry) => {
    const file = path.join(directory, entry.name);
    return entry.isDirectory() ? filesBeneath(file) : [file];
  });
  return [directory, ...beneath];
}

/** A line for each file: type, mode, owner, device, links, size, time of change, content, extended attributes. */
export function canaryLines(directory: string): string[] {
  const lines = filesBeneath(directory).map((file) => `${file} ${describe(file)}`);
  const attributes = execFileSync(xattr(), ['list', directory], { encoding: 'utf8' });
  return [...lines, ...attributes.trim().split('\n').sort()];
}
