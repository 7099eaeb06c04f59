// A directory that goes with its scope.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export class Scratch implements Disposable {
  readonly path: string;

  /** @param parent Where the file system matters: tmpfs cannot hold what overlayfs writes to on old kernels. */
  constructor(parent: string = tmpdir()) {
    this.path = mkdtempSync(path.join(parent, 'hull-image-'));
  }

  join(...parts: string[]): string {
    return path.join(this.path, ...parts);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
