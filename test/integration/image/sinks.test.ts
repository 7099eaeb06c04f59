// One image through every way into a directory: unpacked from its source, unpacked from the store, mounted.
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importImage } from '../../../image/import.ts';
import { type MountImageOptions, mountImage } from '../../../image/mount/mount-image.ts';
import { openStore, type Store } from '../../../image/store/store.ts';
import { unpackImage } from '../../../image/unpack/unpack-image.ts';
import { DEBIAN_TAG, debianLayout } from '../../support/image/debian-image.ts';
import { BASE_LAYER, MIDDLE_LAYER, SAMPLE_LAYERS } from '../../support/image/layer-samples.ts';
import { makeLayout } from '../../support/image/layout.ts';
import { Scratch } from '../../support/image/scratch.ts';
import { differences, listDirectory, unpackWithUmoci } from '../../support/image/tree-listing.ts';
import type { Listing } from '../../support/layer-image.ts';

const WAYS: Readonly<Record<string, MountImageOptions>> = {
  mounted: {},
  'mounted read-only': { readonly: true },
  'mounted through loop devices': { layerAccess: ['loop'] },
  'mounted with layers attached for the moment': { stackAccess: ['attached'] },
  'mounted by one option string': { stackAccess: ['options'] },
  'mounted by one option string, read-only': { stackAccess: ['options'], readonly: true },
  'mounted over an unpacked tree': { layerAccess: [] },
};

/** Everything that the sinks make of an image, against what umoci makes of it. */
async function compare(
  store: Store,
  reference: string,
  image: string,
  scratch: Scratch,
  ways: Readonly<Record<string, MountImageOptions>> = WAYS,
): Promise<void> {
  unpackWithUmoci(reference.replace('oci:', ''), scratch.join('umoci'));
  const expected = listDirectory(scratch.join('umoci'));
  await unpackImage(store, reference, scratch.join('from-source'));
  expect(
    differences(listDirectory(scratch.join('from-source')), expected),
    'unpacked from its source',
  ).toEqual([]);
  await unpackImage(store, image, scratch.join('from-store'));
  expect(differences(listDirectory(scratch.join('from-store')), expected), 'unpacked from the store').toEqual(
    [],
  );
  for (const [way, options] of Object.entries(ways)) {
    const mounted = await mountImage(
      store,
      image,
      scratch.join('container', way.replaceAll(' ', '-')),
      options,
    );
    try {
      expect(mounted.form).toBe(options.layerAccess?.length === 0 ? 'unpacked' : 'mounted');
      expect(differences(asMounted(listDirectory(mounted.rootfs)), asMounted(expected)), way).toEqual([]);
    } finally {
      mounted.unmount();
    }
  }
}

/** Names of one file in several layers are counted apart by overlayfs, which has no number for all of them. */
function asMounted(listing: Listing): Listing {
  return Object.fromEntries(Object.entries(listing).map(([name, { nlink: _, ...rest }]) => [name, rest]));
}

describe('an image', () => {
  it('with everything that layers can have is the same by every way, and as umoci unpacks it', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('store'));
    makeLayout(scratch.join('sample'), SAMPLE_LAYERS);
    const { files } = await importImage(store, `oci:${scratch.join('sample')}:latest`);
    expect(files.map(({ kind }) => kind)).toEqual(['layers', 'layers', 'chains']);
    await compare(store, `oci:${scratch.join('sample')}:latest`, 'sample', scratch);
  });

  it('whose layers describe all they use shares every layer, and is the same', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('store'));
    makeLayout(scratch.join('sample'), [BASE_LAYER, MIDDLE_LAYER]);
    const { files } = await importImage(store, `oci:${scratch.join('sample')}:latest`);
    expect(files.map(({ kind }) => kind)).toEqual(['layers', 'layers']);
    await compare(store, `oci:${scratch.join('sample')}:latest`, 'sample', scratch);
  });

  it('of one layer is the same', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('store'));
    makeLayout(scratch.join('sample'), [BASE_LAYER]);
    await importImage(store, `oci:${scratch.join('sample')}:latest`);
    await compare(store, `oci:${scratch.join('sample')}:latest`, 'sample', scratch);
  });

  it('of a whole Debian is the same, file by file', { timeout: 600_000 }, async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('store'));
    const reference = `oci:${await debianLayout()}:${DEBIAN_TAG}`;
    const { layers } = await importImage(store, reference, { name: 'debian' });
    expect(layers.length).toBeGreaterThanOrEqual(3);
    await compare(store, reference, 'debian', scratch, { mounted: {} });
    const names = Object.keys(listDirectory(scratch.join('from-source')));
    expect(names.length).toBeGreaterThan(5000);
  });
});

describe('what a container changes', () => {
  it('is kept in its upper directory, and never in the image', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('store'));
    makeLayout(scratch.join('sample'), SAMPLE_LAYERS);
    await importImage(store, `oci:${scratch.join('sample')}:latest`);
    const one = await mountImage(store, 'sample', scratch.join('one'));
    const two = await mountImage(store, 'sample', scratch.join('two'));
    try {
      writeFileSync(`${one.rootfs}/new`, 'mine');
      mkdirSync(`${one.rootfs}/etc/more`);
      expect(readdirSync(two.rootfs)).not.toContain('new');
      expect(readdirSync(scratch.join('one/upper')).sort()).toEqual(['etc', 'new']);
    } finally {
      one.unmount();
      two.unmount();
    }
    const again = await mountImage(store, 'sample', scratch.join('one'));
    expect(readdirSync(again.rootfs)).toContain('new');
    again.unmount();
  });

  it('may lie elsewhere', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('store'));
    makeLayout(scratch.join('sample'), [BASE_LAYER]);
    await importImage(store, `oci:${scratch.join('sample')}:latest`);
    mkdirSync(scratch.join('a, b:c\\d'));
    for (const stackAccess of [['detached'], ['options']] as const) {
      const mounted = await mountImage(store, 'sample', scratch.join('one'), {
        upper: scratch.join('a, b:c\\d'),
        stackAccess,
      });
      writeFileSync(`${mounted.rootfs}/${stackAccess[0]}`, '');
      mounted.unmount();
    }
    expect(readdirSync(scratch.join('a, b:c\\d/upper')).sort()).toEqual(['detached', 'options']);
  });

  it('cannot be anything in a read-only root', async () => {
    using scratch = new Scratch();
    const store = openStore(scratch.join('store'));
    makeLayout(scratch.join('sample'), [BASE_LAYER]);
    await importImage(store, `oci:${scratch.join('sample')}:latest`);
    const mounted = await mountImage(store, 'sample', scratch.join('one'), { readonly: true });
    expect(() => writeFileSync(`${mounted.rootfs}/new`, '')).toThrow('EROFS');
    expect(statSync(mounted.rootfs).mode & 0o7777).toBe(0o711);
    mounted.unmount();
  });
});
