// From a reference to the image that it names.
import { statSync } from 'node:fs';
import type { Platform } from '../../spec/image/platform.ts';
import { isErrno } from '../../sys/errno.ts';
import { ImageError } from '../error.ts';
import type { SourceReference } from '../reference.ts';
import { ArchiveTree, type OpenSpool } from './archive.ts';
import { readDockerImage } from './docker-archive.ts';
import { DirectoryTree, type FileTree } from './file-tree.ts';
import type { SourceImage } from './image-source.ts';
import { readLayoutImage } from './oci-layout.ts';

export interface OpenedSource extends Disposable {
  readonly image: SourceImage;
}

/** The image's layers can be opened until the result is disposed. @throws {ImageError} */
export async function openSource(
  reference: SourceReference,
  openSpool: OpenSpool,
  platform?: Platform,
): Promise<OpenedSource> {
  const tree = await openTree(reference, openSpool);
  try {
    const read = reference.transport === 'docker-archive' ? readDockerImage : readLayoutImage;
    return { image: read(tree, reference.tag, platform), [Symbol.dispose]: () => tree[Symbol.dispose]() };
  } catch (error) {
    tree[Symbol.dispose]();
    throw error;
  }
}

async function openTree({ transport, path }: SourceReference, openSpool: OpenSpool): Promise<FileTree> {
  try {
    if (transport !== 'oci') return await ArchiveTree.open(path, openSpool);
    if (!statSync(path).isDirectory()) {
      throw new ImageError(
        'NOT_FOUND',
        `"${path}" is not a directory; for a layout in an archive say oci-archive:`,
      );
    }
    return DirectoryTree.open(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) {
      throw new ImageError('NOT_FOUND', `there is no "${path}"`);
    }
    if (isErrno(error, 'EISDIR')) {
      throw new ImageError('NOT_FOUND', `"${path}" is a directory; for a layout in a directory say oci:`);
    }
    throw error;
  }
}
