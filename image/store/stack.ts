// Which files of the store, one above the other, are an image.
import { openSync } from 'node:fs';
import { Fd } from '../../sys/fd.ts';
import { ErofsImage } from '../erofs/image.ts';
import { LayerStack } from '../erofs/layer-stack.ts';
import { IMPLIED } from '../erofs/layer-tree.ts';
import { ImageError } from '../error.ts';
import type { Attributes } from '../layer/entry.ts';
import type { SourceLayer } from '../source/image-source.ts';
import { ensureEntries, ensureLayer } from './build.ts';
import { chainIds } from './chain-id.ts';
import { fitAbove } from './fit.ts';
import { layerFile, readLayerInfo, type StackFile } from './layer-file.ts';
import type { Store } from './store.ts';

/** OVL_MAX_STACK, fs/overlayfs/params.h, but for the directory that gives a read-only root its attributes. */
const STACK_LAYERS_MAX = 499;

export interface Stack {
  /** The lowest first. */
  readonly files: readonly StackFile[];
  /** Of the root directory: overlayfs takes them from the topmost layer, which seldom has an entry for it. */
  readonly root: Attributes;
}

/** All layers are in the store by themselves; adds what they lack above each other. */
export async function ensureStack(
  store: Store,
  layers: readonly SourceLayer[],
  signal: AbortSignal | undefined,
): Promise<Stack> {
  using stacked = new OpenStack(store);
  const chain = chainIds(layers.map(({ diffId }) => diffId));
  for (const [index, layer] of layers.entries()) {
    const own: StackFile = { kind: 'layers', digest: layer.diffId };
    const added: StackFile = { kind: 'chains', digest: chain[index] ?? layer.diffId };
    const fit = fitAbove(
      readLayerInfo(store, own),
      () => stacked.tree(),
      () => stacked.tree(own),
    );
    if (fit.kind === 'anew') await ensureLayer(store, added, layer, { lower: stacked.tree(), signal });
    if (fit.kind === 'with') await ensureEntries(store, added, fit.entries);
    stacked.add(...(fit.kind === 'as-is' ? [own] : fit.kind === 'with' ? [own, added] : [added]));
  }
  if (stacked.files.length > STACK_LAYERS_MAX) {
    const count = `${stacked.files.length} layers, more than the ${STACK_LAYERS_MAX} that overlayfs stacks`;
    throw new ImageError('UNSUPPORTED', `cannot mount ${count}`);
  }
  return { files: stacked.files, root: stacked.root() };
}

/** The files so far, opened when something is to be looked up in them. */
class OpenStack implements Disposable {
  readonly #store: Store;
  readonly #open = new Map<string, Fd>();
  #files: StackFile[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  get files(): readonly StackFile[] {
    return this.#files;
  }

  add(...files: readonly StackFile[]): void {
    for (const file of files) {
      // overlayfs does not look whether the root of a layer hides what is below it.
      if (readLayerInfo(this.#store, file).hidesBelow) this.#files = [];
      this.#files.push(file);
    }
  }

  /** As overlayfs would merge them, with another file above them if one is given. */
  tree(...above: readonly StackFile[]): LayerStack {
    return new LayerStack([...this.#files, ...above].map((file) => new ErofsImage(this.#fd(file))));
  }

  root(): Attributes {
    const described = this.#files.findLast((file) => readLayerInfo(this.#store, file).describesRoot);
    if (described === undefined) return IMPLIED;
    const image = new ErofsImage(this.#fd(described));
    const { mode, uid, gid, mtime } = image.root;
    return { mode: mode & 0o7777, uid, gid, mtime, xattrs: image.xattrs(image.root).filter(isNotMark) };
  }

  #fd(file: StackFile): number {
    const path = layerFile(this.#store, file);
    let fd = this.#open.get(path);
    if (fd === undefined) {
      fd = new Fd(openSync(path, 'r'));
      this.#open.set(path, fd);
    }
    return fd.number;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open.values()) fd[Symbol.dispose]();
  }
}

/** The builder's own; an image's would be escaped. */
const isNotMark = ({ name }: { readonly name: string }): boolean => name !== 'trusted.overlay.opaque';
