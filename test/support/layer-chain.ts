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
    try {
      for (const archive of archives) {
        const lower = new LayerStack(images.map(({ image }) => image));
        const alone = await buildImage(archive, options);
        images.push(alone);
        if (!dependsOnBelow(alone.layer, lower)) continue;
        rebuilt.push(images.length - 1);
        images.pop()?.[Symbol.dispose]();
        images.push(await buildImage(archive, { ...options, lower }));
      }
    } catch (error) {
      for (const image of images) image[Symbol.dispose]();
      throw error;
    }
    return new LayerChain(images, rebuilt);
  }

  get stack(): LayerStack {
    return new LayerStack(this.images.map(({ image }) => image));
  }

  /** The files to be merged, the lowest first: without those that a layer hides, for overlayfs does not ask its root. */
  get files(): string[] {
    const lowest = this.images.findLastIndex(({ layer }) => layer.hidesBelow);
    return this.images.slice(Math.max(0, lowest)).map(({ file }) => file);
  }

  [Symbol.dispose](): void {
    for (const image of this.images) image[Symbol.dispose]();
  }
}
