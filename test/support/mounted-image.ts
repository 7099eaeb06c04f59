// What the kernel makes of layer images, and what other unpackers make of the same layers.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Listing } from './layer-image.ts';

const LIST_TREE = path.join(import.meta.dirname, 'list-tree.py');

function listTree(...args: string[]): Listing | { refused: string } {
  const output = execFileSync('python3', [LIST_TREE, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  return JSON.parse(output);
}

/** The tree in an image file, mounted by the kernel. */
export const listMounted = (file: string): Listing => mounted('image', file);

/** The merged tree of image files, the lowest first, mounted by the kernel. */
export const listMerged = (files: readonly string[]): Listing => mounted('merge', ...files);

function mounted(...args: string[]): Listing {
  const listing = listTree(...args);
  if (isRefused(listing)) throw new Error(`mount: ${listing.refused}`);
  return listing;
}

/** Why images cannot be mounted here, or `undefined` if they can. */
export function whyNotMounted(file: string): string | undefined {
  if (process.getuid?.() !== 0) return 'mounting needs root';
  const listing = listTree('image', file);
  return isRefused(listing) ? listing.refused : undefined;
}

const isRefused = (listing: Listing | { refused: string }): listing is { refused: string } =>
  typeof listing.refused === 'string';

export function hasUmoci(): boolean {
  try {
    execFileSync('umoci', ['--version'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

/** What umoci unpacks the layers to, the lowest first; or its error. */
export function listUnpackedByUmoci(archives: readonly Buffer[]): Listing | { error: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'hull-umoci-'));
  try {
    writeLayout(path.join(folder, 'layout'), archives);
    const bundle = path.join(folder, 'root');
    const args = ['raw', 'unpack', '--image', `${folder}/layout:latest`, bundle];
    try {
      execFileSync('umoci', args, { encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      return { error: String((error as { stderr: string }).stderr) };
    }
    return listTree('walk', bundle) as Listing;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What GNU tar unpacks one layer to. */
export function listUnpackedByTar(archive: Buffer): Listing {
  const folder = mkdtempSync(path.join(tmpdir(), 'hull-tar-'));
  try {
    const options = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '-xp', '-C', folder];
    execFileSync('tar', options, { input: archive, stdio: ['pipe', 'pipe', 'pipe'] });
    return listTree('walk', folder) as Listing;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An image layout (image-spec, image-layout.md) with one image of these layers. */
function writeLayout(folder: string, archives: readonly Buffer[]): void {
  mkdirSync(path.join(folder, 'blobs/sha256'), { recursive: true });
  const put = (content: Buffer, mediaType: string) => {
    const hex = createHash('sha256').update(content).digest('hex');
    writeFileSync(path.join(folder, 'blobs/sha256', hex), content);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };
  const json = (value: object, mediaType: string) => put(Buffer.from(JSON.stringify(value)), mediaType);
  const type = (name: string): string => `application/vnd.oci.image.${name}`;
  const layers = archives.map((archive) => put(archive, type('layer.v1.tar')));
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) };
  const config = json({ architecture: 'amd64', os: 'linux', rootfs, config: {} }, type('config.v1+json'));
  const manifest = json({ schemaVersion: 2, config, layers }, type('manifest.v1+json'));
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  writeFileSync(path.join(folder, 'index.json'), JSON.stringify(index));
  writeFileSync(path.join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}
