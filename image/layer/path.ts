// Paths of entries: byte strings relative to the root of the container.
import { LayerError, quoteBytes } from './error.ts';
import type { LayerLimits } from './limits.ts';

/** A clean path in two: `usr/bin` and `env`. No slash at either end, no empty component, no `.` or `..`. */
export interface LayerPath {
  /** `''` is the root. */
  readonly parent: string;
  /** `''` only for the root itself. */
  readonly name: string;
}

const UNCLEAN = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * Cleans a path by its text, as Go's path.Clean does for every other engine: `/` in front is dropped, `a/../b` is
 * `b`. A path that would climb out of the root is refused, and not clamped to it: nobody writes one by accident.
 */
export function cleanPath(path: string, limits: LayerLimits): LayerPath {
  const clean = UNCLEAN.test(path) ? cleanComponents(path).join('/') : path;
  const slash = clean.lastIndexOf('/');
  checkComponents(clean, limits);
  return { parent: slash === -1 ? '' : clean.slice(0, slash), name: clean.slice(slash + 1) };
}

function cleanComponents(path: string): string[] {
  const components: string[] = [];
  for (const component of path.split('/')) {
    if (component === '..') {
      if (components.pop() === undefined) {
        throw new LayerError('REFUSED', `cannot take ${quoteBytes(path)}: it leads out of the root`);
      }
    } else if (component !== '' && component !== '.') {
      components.push(component);
    }
  }
  return components;
}

function checkComponents(path: string, { componentBytes }: LayerLimits): void {
  if (path.length <= componentBytes) return;
  if (path.split('/').some((component) => component.length > componentBytes)) {
    const limit = `a component longer than ${componentBytes} bytes`;
    throw new LayerError('LIMIT', `cannot take ${quoteBytes(path)}: it has ${limit}`);
  }
}

export const joinPath = (parent: string, name: string): string =>
  parent === '' ? name : `${parent}/${name}`;
