// Random layers: what the kernel merges is what umoci unpacks.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LayerError } from '../../../image/layer/error.ts';
import { LayerChain } from '../../support/layer-chain.ts';
import { buildImage, type Listing } from '../../support/layer-image.ts';
import { hasUmoci, listMerged, listUnpackedByUmoci, whyNotMounted } from '../../support/mounted-image.ts';
import { anyEntry, archiveOf, hides, type RandomEntry, textOf } from '../../support/random-layers.ts';
import * as tar from '../../support/tar-maker.ts';

const RUNS = 60;

/**
 * Whiteouts stand first: umoci applies them where they stand, and a directory that is implied before its whiteout
 * comes keeps the owner it had below.
 */
const layer = fc
  .array(anyEntry, { minLength: 1, maxLength: 7 })
  .map((entries) => [...entries.filter(hides), ...entries.filter((entry) => !hides(entry))]);

/** Without what is no part of the layers: the root, times of directories that umoci made, links between layers. */
function comparable(listing: Listing): Listing {
  const entries = Object.entries(listing).filter(([path]) => path !== '');
  return Object.fromEntries(
    entries.map(([path, { nlink: _, mtime, ...rest }]) => [
      path,
      { ...rest, mtime: rest.type === 'directory' ? 'any' : mtime },
    ]),
  );
}

async function merge(layers: readonly (readonly RandomEntry[])[]): Promise<Listing | undefined> {
  try {
    using chain = await LayerChain.build(layers.map(archiveOf));
    return listMerged(chain.files);
  } catch (error) {
    if (error instanceof LayerError) return undefined;
    throw error;
  }
}

describe('random layers', () => {
  it('are merged to what umoci unpacks', { timeout: 120_000 }, async ({ skip }) => {
    using empty = await buildImage(tar.archive());
    const obstacle = hasUmoci() ? whyNotMounted(empty.file) : 'needs root and umoci';
    skip(obstacle !== undefined, obstacle);
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(layer, { minLength: 1, maxLength: 3 }), async (layers) => {
        const unpacked = listUnpackedByUmoci(layers.map(archiveOf));
        const merged = await merge(layers);
        // It refuses some that we take, those with a file in the way to another; never the other way round.
        if ('error' in unpacked && typeof unpacked.error === 'string') return;
        compared++;
        expect(merged && comparable(merged), textOf(layers)).toEqual(comparable(unpacked as Listing));
      }),
      { numRuns: RUNS },
    );
    expect(compared).toBeGreaterThan(RUNS / 5);
  });
});
