// Writes an image from front to back: small pieces are gathered, large ones go out as they are.
import { writeSync } from 'node:fs';

/** As much as one write gathers. */
const BUFFER_BYTES = 1024 * 1024;
/** From here on copying into the buffer costs more than a write of its own. */
const LARGE_BYTES = 64 * 1024;

export class ImageWriter {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #filled = 0;
  /** Where in the file the buffer begins. */
  #start: number;

  constructor(fd: number, start: number) {
    this.#fd = fd;
    this.#start = start;
  }

  /** Where the next byte goes. */
  get position(): number {
    return this.#start + this.#filled;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length >= LARGE_BYTES) {
      this.flush();
      writeAll(this.#fd, bytes, this.#start);
      this.#start += bytes.length;
      return;
    }
    if (this.#filled + bytes.length > BUFFER_BYTES) this.flush();
    this.#buffer.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  /** Zeros up to the next multiple of `alignment`. */
  align(alignment: number): void {
    const rest = this.position % alignment;
    if (rest > 0) this.zeros(alignment - rest);
  }

  /** A few zeros: less than a buffer. */
  zeros(bytes: number): void {
    if (this.#filled + bytes > BUFFER_BYTES) this.flush();
    this.#buffer.fill(0, this.#filled, this.#filled + bytes);
    this.#filled += bytes;
  }

  /** Leaves a hole in the file, which reads as zeros. */
  skip(bytes: number): void {
    this.flush();
    this.#start += bytes;
  }

  flush(): void {
    writeAll(this.#fd, this.#buffer.subarray(0, this.#filled), this.#start);
    this.#start += this.#filled;
    this.#filled = 0;
  }
}

/** write(2) may take less than it is given. */
export function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}
