// What there is to say about an image of the store.
import { statSync } from 'node:fs';
import type { ImageConfig } from '../spec/image/image-config.ts';
import { formatPlatform } from './source/image-source.ts';
import { layerFile } from './store/layer-file.ts';
import type { ImageRecord, RecordedLayer } from './store/record.ts';
import type { Store } from './store/store.ts';

export interface ImageDescription {
  readonly name: string;
  readonly id: string;
  readonly manifestDigest?: string;
  /** `linux/amd64` */
  readonly platform: string;
  readonly source: string;
  readonly imported: string;
  /** Of the files below, whether other images share them or not. */
  readonly storedBytes: number;
  readonly layers: readonly RecordedLayer[];
  /** EROFS images, the lowest first: overlayfs over them is the root file system. */
  readonly files: readonly string[];
  readonly config: ImageConfig;
}

export function describeImage(store: Store, image: ImageRecord): ImageDescription {
  const { name, id, manifestDigest, source, imported, layers, config } = image;
  const files = image.files.map((file) => layerFile(store, file));
  return {
    name,
    id,
    ...(manifestDigest !== undefined && { manifestDigest }),
    platform: formatPlatform(config),
    source,
    imported,
    storedBytes: files.reduce((sum, file) => sum + statSync(file).size, 0),
    layers,
    files,
    config,
  };
}
