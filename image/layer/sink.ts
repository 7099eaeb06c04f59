// What a layer is turned into.
import type { LayerEntry } from './entry.ts';

/**
 * Receives a layer as it is read; the EROFS image is one, a directory tree can be another. All calls are synchronous
 * and in the archive's order: the tar bytes of a chunk first, then the entries that begin in it, each followed by
 * its content. Content comes in pieces, and may go on after later `tar` calls.
 *
 * Nothing is verified before {@link end}: whatever a sink has written until then is to be thrown away when the build
 * fails.
 */
export interface LayerSink<Result> {
  entry(entry: LayerEntry): void;
  /** The next bytes of the last file's content. A sink without it gets no content, which saves the calls. */
  content?(chunk: Uint8Array): void;
  /** The next bytes of the last file's content are that many zeros. Called only with {@link content}. */
  hole?(bytes: number): void;
  /** The next bytes of the uncompressed archive, headers and padding included. */
  tar?(chunk: Uint8Array): void;
  /** The layer is complete, and its digests are those that were promised. */
  end(layer: VerifiedLayer): Result;
}

export interface VerifiedLayer {
  /** Digest of the uncompressed archive. */
  readonly diffId: string;
}
