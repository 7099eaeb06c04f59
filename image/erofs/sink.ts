// A layer as one read-only EROFS image.
import { ftruncateSync } from 'node:fs';
import type { LayerEntry, StoredContent } from '../layer/entry.ts';
import { DEFAULT_LIMITS, type LayerLimits } from '../layer/limits.ts';
import type { LowerTree } from '../layer/lower-tree.ts';
import type { LayerSink } from '../layer/sink.ts';
import { applyEntry } from './apply-entry.ts';
import { EROFS_SUPER_OFFSET, encodeSuperBlock } from './format.ts';
import { type ImageWriter, writeAll } from './image-writer.ts';
import { LayerTree } from './layer-tree.ts';
import { writeMetadata } from './metadata.ts';
import { copyLower, copySparse, placePacked, placeTar } from './placement.ts';
import { type ImpliedDirectory, type LinkBelow, sealTree } from './seal.ts';

export interface ErofsOptions {
  /** 512 (Linux 6.4 and newer), where the image is the archive and metadata behind it; 4096 for older kernels. */
  readonly blockSize?: 512 | 4096 | undefined;
  /**
   * What lies below. Without it, an image depends on the layer alone, and `dependsOnBelow()` tells whether that was
   * enough.
   */
  readonly lower?: LowerTree | undefined;
  readonly limits?: LayerLimits | undefined;
}

export interface ErofsLayer {
  readonly blockSize: number;
  /** Bytes of the image. */
  readonly imageSize: number;
  readonly inodes: number;
  /** Whether the layer has an entry for the root; if not, the root of the image has default attributes. */
  readonly describesRoot: boolean;
  /** Whether the layer hides all that is below it: overlayfs does not look at the root's opaque mark. */
  readonly hidesBelow: boolean;
  /** What an image could not know that was built without knowing what lies below. */
  readonly implied: readonly ImpliedDirectory[];
  readonly linksBelow: readonly LinkBelow[];
  /** Directories that have whiteouts in them, byte strings. */
  readonly hiding: readonly string[];
}

/** Images end on a page, for loop devices, virtio-blk and DAX. */
const IMAGE_ALIGNMENT = 4096;

/**
 * A sink that writes an image to `fd`: an empty file, open for reading and writing, which stays the caller's (to
 * sync, close and rename). No privilege is needed, and no path of the layer is ever looked up on the host.
 */
export function createErofsSink(fd: number, options: ErofsOptions = {}): LayerSink<ErofsLayer> {
  const { blockSize = 512, lower, limits = DEFAULT_LIMITS } = options;
  const tree = new LayerTree(lower, limits);
  const { tar, content, hole, begin, end } =
    blockSize === 512 ? placeTar(fd, blockSize) : placePacked(fd, blockSize);
  const sparse = new Map<number, StoredContent>();

  function entry(layerEntry: LayerEntry): void {
    const inode = applyEntry(tree, layerEntry);
    if (inode === undefined || layerEntry.kind !== 'file') return;
    const address = begin(layerEntry.content);
    if (address === undefined) sparse.set(inode, layerEntry.content);
    else tree.inodes.setAddress(inode, address);
  }

  function copyContents(writer: ImageWriter, isKept: (inode: number) => boolean): void {
    const begun = (inode: number): boolean => {
      if (!isKept(inode)) return false;
      writer.align(blockSize);
      tree.inodes.setAddress(inode, writer.position / blockSize);
      return true;
    };
    for (const [inode, stored] of sparse) if (begun(inode)) copySparse(writer, fd, stored);
    for (const [inode, node] of tree.copies) if (begun(inode)) copyLower(writer, node);
  }

  function finish({ diffId }: { readonly diffId: string }): ErofsLayer {
    const sealed = sealTree(tree);
    const writer = end();
    copyContents(writer, (inode) => tree.inodes.links(inode) > 0);
    const metadata = writeMetadata(writer, tree, sealed, blockSize);
    writer.align(IMAGE_ALIGNMENT);
    writer.flush();
    const imageSize = writer.position;
    ftruncateSync(fd, imageSize);
    const blocks = imageSize / blockSize;
    const inodes = sealed.inodes.length;
    // Last, so that no unfinished image can be mounted.
    const superBlock = encodeSuperBlock({ ...metadata, blockSize, blocks, inodes, uuid: uuidOf(diffId) });
    writeAll(fd, superBlock, EROFS_SUPER_OFFSET);
    return {
      blockSize,
      imageSize,
      inodes,
      describesRoot: tree.root.origin === 'entry',
      hidesBelow: tree.root.isOpaque,
      implied: sealed.implied,
      linksBelow: sealed.linksBelow,
      hiding: sealed.hiding,
    };
  }

  return { entry, end: finish, ...(tar && { tar }), ...(content && { content }), ...(hole && { hole }) };
}

/** One for each layer, the same in every build: overlayfs tells its lower file systems apart by it. */
function uuidOf(diffId: string): Buffer {
  const uuid = Buffer.from(diffId.slice(diffId.indexOf(':') + 1, diffId.indexOf(':') + 33), 'hex');
  // RFC 9562: version 8 is for what an application makes itself.
  uuid.writeUInt8(((uuid[6] ?? 0) & 0x0f) | 0x80, 6);
  uuid.writeUInt8(((uuid[8] ?? 0) & 0x3f) | 0x80, 8);
  return uuid;
}
