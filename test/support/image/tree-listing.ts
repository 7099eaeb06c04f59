// What is in a directory, to the last bit that stat(2), readlink(2) and listxattr(2) show.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type { Listing } from '../layer-image.ts';

const LIST_TREE = path.join(import.meta.dirname, '../list-tree.py');

/** By path; names are byte strings. */
export function listDirectory(directory: string): Listing {
  const output = execFileSync('python3', [LIST_TREE, 'walk', directory], { maxBuffer: 2 ** 30 });
  return JSON.parse(output.toString('utf8'));
}

/** Paths that are not the same in both, with what each has. */
export function differences(ours: Listing, theirs: Listing): string[] {
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])]
    .filter((name) => JSON.stringify(ours[name]) !== JSON.stringify(theirs[name]))
    .map(
      (name) => `${JSON.stringify(name)}: ${JSON.stringify(ours[name])} / ${JSON.stringify(theirs[name])}`,
    );
}

/** What umoci unpacks an image of a layout to. */
export function unpackWithUmoci(image: string, directory: string): void {
  execFileSync('umoci', ['raw', 'unpack', '--image', image, directory], { stdio: 'pipe' });
}
