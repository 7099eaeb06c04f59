// The image that image-import.bench.ts imports, as a layout in a directory of the benchmark's.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseSourceReference } from '../image/reference.ts';
import { openSource } from '../image/source/open.ts';
import { DEBIAN_TAG, debianLayout } from '../test/support/image/debian-image.ts';

export interface Layout {
  readonly directory: string;
  readonly tag: string;
  /** The blobs, the base first. */
  readonly layers: readonly string[];
  /** Of all blobs. */
  readonly bytes: number;
}

/** A layer each of what every Debian has: tens of thousands of small files, and some large ones. */
const FOLDERS = ['usr/share', 'usr/lib/python3', 'usr/include'].filter((folder) => existsSync(`/${folder}`));
const HOST_TAG = 'host';

/**
 * A copy of the image, so that all of it is where `directory` is, on a tmpfs.
 * @param reference `oci:DIR:TAG`; `host` for an image of this machine's files; by default, the Debian of the tests
 */
export async function makeLayout(directory: string, reference: string | undefined): Promise<Layout> {
  const tag = await fill(directory, reference);
  using opened = await openSource(parseSourceReference(`oci:${directory}:${tag}`), () => {
    throw new Error('a layout in a directory needs no copy of its files');
  });
  const { layers } = opened.image;
  const blobs = layers.map(({ digest = '' }) => path.join(directory, 'blobs', digest.replace(':', '/')));
  return { directory, tag, layers: blobs, bytes: layers.reduce((sum, { size }) => sum + size, 0) };
}

async function fill(directory: string, reference: string | undefined): Promise<string> {
  const canBootstrap = spawnSync('debootstrap', ['--version']).error === undefined;
  if (reference === 'host' || (reference === undefined && !canBootstrap)) return fillFromHost(directory);
  if (reference === undefined) {
    cpSync(await debianLayout(), directory, { recursive: true });
    return DEBIAN_TAG;
  }
  const { transport, path: source, tag } = parseSourceReference(reference);
  if (transport !== 'oci' || tag === undefined) {
    throw new Error(`cannot use "${reference}": the benchmark takes oci:DIR:TAG`);
  }
  cpSync(source, directory, { recursive: true });
  return tag;
}

function fillFromHost(directory: string): string {
  const image = `${directory}:${HOST_TAG}`;
  const bundle = `${directory}.bundle`;
  const umoci = (...args: string[]): void => {
    execFileSync('umoci', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  };
  umoci('init', '--layout', directory);
  umoci('new', '--image', image);
  umoci('unpack', '--image', image, bundle);
  for (const folder of FOLDERS) {
    const target = path.join(bundle, 'rootfs', folder);
    mkdirSync(path.dirname(target), { recursive: true });
    execFileSync('cp', ['-a', `/${folder}`, target]);
    umoci('repack', '--refresh-bundle', '--image', image, bundle);
  }
  rmSync(bundle, { recursive: true });
  return HOST_TAG;
}
