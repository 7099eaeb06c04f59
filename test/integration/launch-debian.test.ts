import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHost } from '../support/host.ts';
import { type Ended, hull } from '../support/hull.ts';
import { DEBIAN_TAG, debianLayout } from '../support/image/debian-image.ts';
import { Scratch } from '../support/image/scratch.ts';
import { differences, listDirectory, unpackWithUmoci } from '../support/image/tree-listing.ts';
import type { Listing } from '../support/layer-image.ts';

const LAYERS_MIN = 3;
const FILES_MIN = 5_000;

let scratch: Scratch;
let layout: string;
let fromUmoci: Listing;

const store = (): string => scratch.join('store');
const image = (command: string, ...args: string[]): Ended =>
  hull(['image', command, '--store', store(), ...args]);

beforeAll(async () => {
  layout = await debianLayout();
  scratch = new Scratch();
  expect(image('import', '--name', 'debian', `oci:${layout}:${DEBIAN_TAG}`)).toMatchObject({
    status: 0,
    stderr: '',
  });
  const directory = scratch.join('from-umoci');
  unpackWithUmoci(`${layout}:${DEBIAN_TAG}`, directory);
  fromUmoci = listDirectory(directory);
}, 600_000);
afterAll(() => scratch[Symbol.dispose]());

/** overlayfs counts the names of a file apart that are in several layers. */
const withoutLinkCounts = (listing: Listing): Listing =>
  Object.fromEntries(Object.entries(listing).map(([name, { nlink: _, ...rest }]) => [name, rest]));

describe('a Debian of several layers', () => {
  it('has thousands of files, and layers that take files away', () => {
    const { layers } = JSON.parse(image('ls', '--json').stdout)[0];
    expect(layers.length).toBeGreaterThanOrEqual(LAYERS_MIN);
    expect(Object.keys(fromUmoci).length).toBeGreaterThan(FILES_MIN);
    expect(fromUmoci['usr/share/doc']).toBeUndefined();
    expect(fromUmoci['etc/issue']?.type).toBe('directory');
  });

  // biome-ignore format: a table
  const PROGRAMS: readonly [args: string[], output: RegExp][] = [
    [['dpkg', '-l', 'perl-base', 'python3-minimal'],                     /^ii {2}perl-base .*\nii {2}python3-minimal /m],
    [['dpkg', '--verify', 'coreutils'],                                  /^((?!usr\/bin).)*$/s],
    [['python3', '-c', 'import json, zlib; print(json.dumps(sum(range(101))))'], /^5050\n$/],
    [['perl', '-e', 'use POSIX; print join(",", map { $_ * $_ } 1 .. 4), "\\n"'], /^1,4,9,16\n$/],
    [['bash', '-c', 'id -un; cat /etc/debian_version; ls /usr/share/doc 2>&1'], /^root\n\d+\.\d+\nls: cannot access '\/usr\/share\/doc': No such file or directory\n$/],
    [['su', '-s', '/bin/sh', '-c', 'id -un', 'www-data'],                /^www-data\n$/],
  ];
  for (const [args, output] of PROGRAMS) {
    it(`runs ${args.slice(0, 2).join(' ')}`, async () => {
      await using host = await TestHost.open('hull');
      const flags = ['--store', store(), '--rm', '--name', host.id()];
      const { stdout, stderr } = await host.runtime.call('launch', ['debian', ...args], { flags });
      expect(stderr).toBe('');
      expect(stdout).toMatch(output);
    });
  }

  it('unpacks to what umoci unpacks it to, byte for byte and attribute for attribute', () => {
    const directory = scratch.join('from-hull');
    expect(image('unpack', 'debian', directory)).toMatchObject({ status: 0, stderr: '' });
    expect(differences(listDirectory(directory), fromUmoci)).toEqual([]);
  });

  it('is the same again as the root of a launched container', async () => {
    await using host = await TestHost.open('hull');
    const id = host.id();
    const flags = ['--store', store(), '--name', id];
    expect(await host.runtime.call('launch', ['debian', 'true'], { flags })).toMatchObject({
      status: 0,
      stderr: '',
    });
    const root = path.join(`/proc/${host.namespacePid}/root`, store(), 'containers', id, 'rootfs');
    const mounted = withoutLinkCounts(listDirectory(root));
    expect(differences(mounted, withoutLinkCounts(fromUmoci))).toEqual([]);
    expect((await host.runtime.delete(id)).status).toBe(0);
  });
});
