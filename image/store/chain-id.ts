// Chain IDs: one digest for a layer together with all that is below it. config.md of the image-spec, "Layer ChainID".
import { createHash } from 'node:crypto';

/** One for each diffID, the base first. */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(
      below === undefined
        ? diffId
        : `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`,
    );
  }
  return chain;
}
