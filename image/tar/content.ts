// The content of a file, from the bytes that the archive stores of it.
import type { SparseMap } from './sparse.ts';

export interface ContentHandler {
  /** The next bytes of the last entry's content. Without it, content is passed over. */
  content?(chunk: Buffer): void;
  /** The next bytes of the last entry's content are that many zeros, which the archive does not store. */
  hole?(bytes: number): void;
}

/** Puts the holes of a sparse file between its segments again. */
export class SparseContent {
  readonly #map: SparseMap;
  readonly #handler: ContentHandler;
  #segment = 0;
  #position = 0;

  /** `map` has been checked: the segments are in order and cover what is stored. */
  constructor(map: SparseMap, handler: ContentHandler) {
    this.#map = map;
    this.#handler = handler;
  }

  push(stored: Buffer): void {
    let at = 0;
    for (
      let segment = this.#current();
      at < stored.length && segment !== undefined;
      segment = this.#current()
    ) {
      this.#holeTo(segment.offset);
      const end = segment.offset + segment.length;
      const taken = Math.min(stored.length - at, end - this.#position);
      if (taken > 0) this.#handler.content?.(stored.subarray(at, at + taken));
      at += taken;
      this.#position += taken;
      if (this.#position === end) this.#segment++;
    }
  }

  /** All that is stored has been pushed. */
  end(): void {
    this.#holeTo(this.#map.realSize);
  }

  #current() {
    return this.#map.segments[this.#segment];
  }

  #holeTo(position: number): void {
    if (position <= this.#position) return;
    this.#handler.hole?.(position - this.#position);
    this.#position = position;
  }
}
