// Random layers: what is unpacked from them is what the store's files, mounted or unpacked, are.
import { openSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ErofsImage } from '../../../image/erofs/image.ts';
import { importImage } from '../../../image/import.ts';
import { buildLayer } from '../../../image/layer/build.ts';
import { LayerError } from '../../../image/layer/error.ts';
import type { LayerSink } from '../../../image/layer/sink.ts';
import { layerFile } from '../../../image/store/layer-file.ts';
import { openStore } from '../../../image/store/store.ts';
import { MergedTree } from '../../../image/tree/merge.ts';
import type { Directory, Leaf, Node } from '../../../image/tree/node.ts';
import { feedStoredLayer } from '../../../image/unpack/stored-layer.ts';
import { Fd } from '../../../sys/fd.ts';
import { makeLayout } from '../../support/image/layout.ts';
import { Scratch } from '../../support/image/scratch.ts';
import { inChunks } from '../../support/layer-image.ts';
import { anyEntry, archiveOf, hides, type RandomEntry, textOf } from '../../support/random-layers.ts';
import * as tar from '../../support/tar-maker.ts';

const RUNS = 100;

/**
 * Whiteouts stand first, and those of parents before those in them. Where one hides a link that an earlier entry of its
 * layer went through, applying entries in order, as unpacking does, and taking the layer as a whole, as the store
 * does, are different things.
 */
const layer = fc
  .array(anyEntry, { minLength: 1, maxLength: 7 })
  .map((entries) => [
    ...entries.filter(hides).toSorted((a, b) => depthOf(a) - depthOf(b)),
    ...entries.filter((entry) => !hides(entry)),
  ]);

const depthOf = ({ kind, text }: RandomEntry): number => text.split('/').length + (kind === 'opaque' ? 1 : 0);

/** A sink that keeps the merged tree, and the contents of its files. */
class TreeSink implements LayerSink<void> {
  readonly tree = new MergedTree();
  readonly #contents = new Map<Node, string>();
  #file: Leaf | undefined;

  constructor() {
    this.tree.observe({
      make: (_place, leaf) => {
        this.#file = leaf;
      },
    });
  }

  entry(entry: Parameters<MergedTree['apply']>[0]): void {
    this.tree.apply(entry);
  }

  content(chunk: Uint8Array): void {
    const file = this.#file;
    if (file === undefined) throw new Error('content without a file');
    this.#contents.set(file, (this.#contents.get(file) ?? '') + Buffer.from(chunk).toString('latin1'));
  }

  hole(bytes: number): void {
    this.content(Buffer.alloc(bytes));
  }

  end(): void {}

  /** All there is to see; names of one file have one number. */
  listing(): string[] {
    const numbers = new Map<Node, number>();
    const lines: string[] = [];
    const walk = (directory: Directory, prefix: string): void => {
      for (const [name, { node }] of [...directory.children].sort()) {
        lines.push(`${prefix}${name} ${this.#describe(node, numbers)}`);
        if (node.kind === 'directory') walk(node, `${prefix}${name}/`);
      }
    };
    walk(this.tree.root, '');
    return lines;
  }

  #describe(node: Node, numbers: Map<Node, number>): string {
    const { attributes, kind } = node;
    if (kind === 'directory') return JSON.stringify({ kind, attributes });
    if (!numbers.has(node)) numbers.set(node, numbers.size);
    const what = kind === 'file' ? this.#contents.get(node) : kind === 'symlink' ? node.target : '';
    return JSON.stringify({ kind, attributes, what, number: numbers.get(node) });
  }
}

/** From the archives; undefined for layers that are refused. */
async function fromArchives(archives: readonly Buffer[]): Promise<string[] | undefined> {
  const sink = new TreeSink();
  try {
    for (const archive of archives) {
      sink.tree.beginLayer();
      await buildLayer(inChunks(archive, 1000), { sink });
    }
    return sink.listing();
  } catch (error) {
    if (error instanceof LayerError) return undefined;
    throw error;
  }
}

/** From the files of the store that they are imported to. */
async function fromStore(archives: readonly Buffer[]): Promise<string[]> {
  using scratch = new Scratch();
  const store = openStore(scratch.join('store'));
  makeLayout(scratch.join('image'), archives);
  const { files } = await importImage(store, `oci:${scratch.join('image')}`);
  const sink = new TreeSink();
  for (const file of files) {
    using fd = new Fd(openSync(layerFile(store, file), 'r'));
    sink.tree.beginLayer();
    feedStoredLayer(new ErofsImage(fd.number), sink);
  }
  return sink.listing();
}

/** What random layers have found, or would seldom find. */
describe('layers', () => {
  // biome-ignore format: a table
  const CASES: [what: string, layers: Buffer[][]][] = [
    ['a path through a hard link to a link below', [[tar.symlink('a', 'd'), tar.file('a/a')], [tar.hardlink('b', 'a'), tar.file('b/a')]]],
    ['whiteouts in what the layer makes a file',   [[tar.directory('d/'), tar.file('d/x')], [tar.file('d'), tar.file('d/.wh.x')]]],
    ['whiteouts in a directory that is not there', [[tar.file('a')], [tar.file('d/.wh.x')]]],
    ['a directory below with nothing but whiteouts', [[tar.directory('d/', { mode: 0o700 }), tar.file('d/x')], [tar.file('d/.wh.x')]]],
  ];
  for (const [what, layers] of CASES) {
    it(`are the same unpacked and stored: ${what}`, async () => {
      const archives = layers.map((entries) => tar.archive(...entries));
      const unpacked = await fromArchives(archives);
      expect(unpacked).toBeDefined();
      expect(await fromStore(archives)).toEqual(unpacked);
    });
  }
});

describe('random layers', () => {
  it('are the same unpacked and stored', { timeout: 120_000 }, async () => {
    let compared = 0;
    const layers = fc.array(layer, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(layers, async (entries) => {
        const archives = entries.map(archiveOf);
        const unpacked = await fromArchives(archives);
        if (unpacked === undefined) return;
        compared++;
        expect(await fromStore(archives), textOf(entries)).toEqual(unpacked);
      }),
      { numRuns: RUNS },
    );
    expect(compared).toBeGreaterThan(RUNS / 5);
  });
});
