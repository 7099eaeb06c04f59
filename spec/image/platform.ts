/** Platforms (image-index.md of the image-spec 1.1): which of an index' images runs here. */

import { type Check, list, object, required, text } from '../schema.ts';
import type { Descriptor } from './descriptor.ts';
import type { ImageIndex } from './image-index.ts';
import { findMediaType } from './media-type.ts';

/** `os` and `architecture` are Go's GOOS and GOARCH. */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
}

const name = text({ bytesMax: 255, empty: 'must not be empty' });
const word = text({ bytesMax: 255 });

export const platform: Check<Platform> = object<Platform>({
  architecture: required(name),
  os: required(name),
  variant: word,
  'os.version': word,
  'os.features': list(word),
});

/** Spellings that are in use for an architecture and variant of image-index.md. */
// biome-ignore format: a table
const ALIASES: ReadonlyMap<string, Pick<Platform, 'architecture' | 'variant'>> = new Map([
  ['x86_64',  { architecture: 'amd64' }],
  ['x86-64',  { architecture: 'amd64' }],
  ['i386',    { architecture: '386' }],
  ['i686',    { architecture: '386' }],
  ['aarch64', { architecture: 'arm64' }],
  ['armhf',   { architecture: 'arm', variant: 'v7' }],
  ['armel',   { architecture: 'arm', variant: 'v6' }],
]);

/** A machine of a variant runs those before it as well. `unset` is what an image or a host without one has. */
// biome-ignore format: a table
const VARIANTS: ReadonlyMap<string, { readonly unset: string; readonly ascending: readonly string[] }> = new Map([
  ['amd64',   { unset: 'v1',       ascending: ['v1', 'v2', 'v3', 'v4'] }],
  ['arm',     { unset: 'v7',       ascending: ['v5', 'v6', 'v7', 'v8'] }],
  ['arm64',   { unset: 'v8',       ascending: ['v8', 'v8.1', 'v8.2', 'v8.3', 'v8.4', 'v8.5', 'v8.6', 'v8.7', 'v8.8', 'v8.9', 'v9', 'v9.1', 'v9.2', 'v9.3', 'v9.4', 'v9.5'] }],
  ['ppc64le', { unset: 'power8',   ascending: ['power8', 'power9', 'power10'] }],
  ['riscv64', { unset: 'rva20u64', ascending: ['rva20u64', 'rva22u64', 'rva23u64'] }],
]);

export function normalizePlatform(given: Platform): Platform {
  const { architecture, variant } = ALIASES.get(given.architecture) ?? given;
  const chosen = given.variant ?? variant ?? VARIANTS.get(architecture)?.unset;
  return { ...given, architecture, ...(chosen === undefined ? {} : { variant: chosen }) };
}

/**
 * How well an image suits a host: 0 is exact, more is a lower variant that runs as well, `undefined` does not run. The
 * features that an image names are those that it needs.
 */
export function platformDistance(image: Platform, host: Platform): number | undefined {
  const wanted = normalizePlatform(host);
  const offered = normalizePlatform(image);
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return undefined;
  if (offered['os.version'] && wanted['os.version'] && offered['os.version'] !== wanted['os.version'])
    return undefined;
  const features = new Set(wanted['os.features']);
  if (offered['os.features']?.some((feature) => !features.has(feature))) return undefined;
  if (offered.variant === wanted.variant) return 0;
  const ascending = VARIANTS.get(wanted.architecture)?.ascending ?? [];
  const [above, below] = [ascending.indexOf(wanted.variant ?? ''), ascending.indexOf(offered.variant ?? '')];
  return below === -1 || below > above ? undefined : above - below;
}

/**
 * The entry of an index to use on a host: the nearest platform, and of equals the first, as the standard says. An entry
 * without a platform comes last: only its configuration tells. Entries of unknown media types are passed over.
 */
export function selectManifest(index: ImageIndex, host: Platform): Descriptor | undefined {
  let best: Descriptor | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const entry of index.manifests) {
    const kind = findMediaType(entry.mediaType)?.kind;
    if (kind !== 'manifest' && kind !== 'index') continue;
    const distance = entry.platform === undefined ? Number.MAX_VALUE : platformDistance(entry.platform, host);
    if (distance === undefined || distance >= bestDistance) continue;
    best = entry;
    bestDistance = distance;
  }
  return best;
}
