// Reads a whole archive with the reader under test, in chunks of a chosen size.
import { LayerError } from '../../image/layer/error.ts';
import { DEFAULT_LIMITS, type LayerLimits } from '../../image/layer/limits.ts';
import type { TarEntry } from '../../image/tar/entry.ts';
import { type TarHandler, TarReader } from '../../image/tar/reader.ts';

export interface ReadEntry extends TarEntry {
  /** Holes filled with zeros. */
  readonly data: string;
}

export interface ReadOptions {
  readonly chunkBytes?: number;
  /** Whether the handler takes content; `data` stays empty otherwise. */
  readonly withContent?: boolean;
  readonly limits?: Partial<LayerLimits>;
}

export function readTar(archive: Buffer, options: ReadOptions = {}): ReadEntry[] {
  const { chunkBytes = 65536, withContent = true, limits } = options;
  const entries: { entry: TarEntry; data: Buffer[] }[] = [];
  const onEntry: TarHandler = { entry: (entry) => entries.push({ entry, data: [] }) };
  const onContent: Omit<TarHandler, 'entry'> = {
    content: (chunk) => entries.at(-1)?.data.push(Buffer.from(chunk)),
    hole: (bytes) => entries.at(-1)?.data.push(Buffer.alloc(bytes)),
  };
  const handler = withContent ? { ...onEntry, ...onContent } : onEntry;
  const reader = new TarReader(handler, { ...DEFAULT_LIMITS, ...limits });
  for (let at = 0; at < archive.length; at += chunkBytes) reader.push(archive.subarray(at, at + chunkBytes));
  reader.end();
  return entries.map(({ entry, data }) => ({ ...entry, data: Buffer.concat(data).toString('latin1') }));
}

/** `CODE: message` of the LayerError that `act` ends in; anything else it throws is thrown on. */
export function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof LayerError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'taken';
}
