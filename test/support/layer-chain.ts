// Layers above one another, each built as a store would: alone first, and again if that was not enough.
import { dependsOnBelow } from '../../image/erofs/depends-on-below.ts';
import { LayerStack } from '../../image/erofs/layer-stack.ts';
import type { ErofsOptions } from '../../image/erofs/sink.ts';
import { type BuiltImage, buildImage } from './layer-image.ts';

export class LayerChain implements Disposable {
  readonly images: readonly BuiltImage[];
  /** Numbers of the layers that had to be built again. */
  readonly rebuilt: readonly number[];

  private constructor(images: readonly BuiltImage[], rebuilt: readonly number[]) {
    this.images = images;
    this.rebuilt = rebuilt;
  }

  /** `archives`, the lowest first. */
  static async build(archives: readonly Buffer[], options: ErofsOptions = {}): Promise<LayerChain> {
    const images: BuiltImage[] = [];
    const rebuilt: number[] = [];
    for (const archive of archives) {
      const lower = new LayerStack(images.map(({ image }) => image));
      const alone = await buildImage(archive, options);
      if (dependsOnBelow(alone.layer, lower)) {
        alone[Symbol.dispose]();
        rebuilt.push(images.length);
        images.push(await buildImage(archive, { ...options, lower }));
      } else {
        images.push(alone);
      }
    }
    return new LayerChain(images, rebuilt);
  }

  get stack(): LayerStack {
    return new LayerStack(this.images.map(({ image }) => image));
  }

  /** The files, the lowest first. */
  get files(): string[] {
    return this.images.map(({ file }) => file);
  }

  [Symbol.dispose](): void {
    for (const image of this.images) image[Symbol.dispose]();
  }
}
