// Blobs of a layout: found by digest, and read only as far as their descriptors say.
import { createHash } from 'node:crypto';
import { type Descriptor, DOCUMENT_BYTES_MAX } from '../../spec/image/descriptor.ts';
import { type Digest, parseDigest } from '../../spec/image/digest.ts';
import { ImageError } from '../error.ts';
import { type FileTree, readSlice, type Slice } from './file-tree.ts';

/** Opens the blob and compares its size, which costs nothing; whoever reads it compares the digest. */
export function openBlob(tree: FileTree, descriptor: Descriptor): Slice {
  const { digest, size, urls } = descriptor;
  const { algorithm, hex } = requireDigest(digest);
  const slice = tree.open(`blobs/${algorithm}/${hex}`);
  if (slice === undefined) {
    const elsewhere =
      urls === undefined ? '' : ' (it names other places to fetch it from, which hull does not do)';
    throw new ImageError('NOT_FOUND', `blob ${digest} is missing in "${tree.location}"${elsewhere}`);
  }
  if (slice.size === size) return slice;
  slice[Symbol.dispose]();
  throw new ImageError('REJECTED', `blob ${digest} has ${slice.size} bytes, but its descriptor says ${size}`);
}

/** The verified bytes of an index, manifest or configuration. */
export function readDocumentBlob(tree: FileTree, descriptor: Descriptor): Buffer {
  const { digest, data } = descriptor;
  if (data !== undefined) return verified(Buffer.from(data, 'base64'), digest, 'the data field of');
  using slice = openBlob(tree, descriptor);
  return verified(readSlice(slice, DOCUMENT_BYTES_MAX, digest), digest, 'blob');
}

export function digestOf(bytes: Uint8Array, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

function verified(bytes: Buffer, expected: string, subject: string): Buffer {
  const { algorithm } = requireDigest(expected);
  const actual = digestOf(bytes, algorithm);
  if (actual === expected) return bytes;
  throw new ImageError('REJECTED', `${subject} ${expected} is corrupt: its digest is ${actual}`);
}

function requireDigest(text: string): Digest {
  const digest = parseDigest(text);
  if (digest === undefined) throw new ImageError('REJECTED', `"${text}" is not a digest`);
  // Registered, and nowhere in use; OpenSSL does not have it.
  if (digest.algorithm === 'blake3')
    throw new ImageError('UNSUPPORTED', `cannot verify digest "${text}": blake3`);
  return digest;
}
