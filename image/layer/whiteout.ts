// Whiteouts: how a layer says that something below it is gone. image-spec, layer.md, "Whiteouts".
import type { TarEntryType } from '../tar/entry.ts';
import { LayerError, quoteBytes } from './error.ts';
import { joinPath, type LayerPath } from './path.ts';

const PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** What AUFS kept beside the files; layers of 2013 have it, and it says nothing about the image. */
const AUFS_PREFIX = '.wh..wh.';

export type Whiteout =
  | { readonly kind: 'whiteout'; readonly path: LayerPath }
  | { readonly kind: 'opaque'; readonly path: LayerPath }
  | { readonly kind: 'ignored' };

/** What the name means; `undefined` for a name like any other. */
export function parseWhiteout({ parent, name }: LayerPath, type: TarEntryType): Whiteout | undefined {
  // Most names; the regular expression would be most of the work.
  if (!name.startsWith(PREFIX) && !parent.includes(PREFIX)) return undefined;
  if (isInAufsDirectory(parent)) return { kind: 'ignored' };
  if (/(?:^|\/)\.wh\./.test(parent)) throw refused(parent, name, 'a whiteout has nothing in it');
  if (!name.startsWith(PREFIX)) return undefined;
  if (name !== OPAQUE && name.startsWith(AUFS_PREFIX)) return { kind: 'ignored' };
  // AUFS made its whiteouts hard links of one file, and so did the layers that Docker took from it.
  if (type !== 'file' && type !== 'hardlink') throw refused(parent, name, `a whiteout is not a ${type}`);
  if (name === OPAQUE) return { kind: 'opaque', path: { parent, name: '' } };
  const hidden = name.slice(PREFIX.length);
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw refused(parent, name, 'it does not name anything that could be hidden');
  }
  return { kind: 'whiteout', path: { parent, name: hidden } };
}

const isInAufsDirectory = (parent: string): boolean =>
  parent.split('/').some((component) => component.startsWith(AUFS_PREFIX) && component !== OPAQUE);

const refused = (parent: string, name: string, why: string): LayerError =>
  new LayerError('REFUSED', `cannot take whiteout ${quoteBytes(joinPath(parent, name))}: ${why}`);
