import { describe, expect, it } from 'vitest';
import type { Descriptor } from '../../../../spec/image/descriptor.ts';
import type { ImageIndex } from '../../../../spec/image/image-index.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../../spec/image/media-type.ts';
import {
  normalizePlatform,
  type Platform,
  platformDistance,
  selectManifest,
} from '../../../../spec/image/platform.ts';

/** `os/architecture/variant`. */
function platformOf(text: string): Platform {
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

// biome-ignore format: a table
const DISTANCES: readonly (readonly [image: string, host: string, distance: number | undefined])[] = [
  ['linux/amd64',          'linux/amd64',          0],
  ['linux/amd64',          'linux/amd64/v3',       2],
  ['linux/amd64/v1',       'linux/amd64',          0],
  ['linux/amd64/v3',       'linux/amd64/v3',       0],
  ['linux/amd64/v3',       'linux/amd64/v4',       1],
  ['linux/amd64/v3',       'linux/amd64/v2',       undefined],
  ['linux/amd64/v3',       'linux/amd64',          undefined],
  ['linux/amd64/unknown',  'linux/amd64/v4',       undefined],
  ['linux/arm64',          'linux/arm64/v8',       0],
  ['linux/arm64/v8',       'linux/arm64',          0],
  ['linux/arm64/v9',       'linux/arm64',          undefined],
  ['linux/arm64/v8',       'linux/arm64/v9',       10],
  ['linux/arm/v6',         'linux/arm/v7',         1],
  ['linux/arm/v7',         'linux/arm/v6',         undefined],
  ['linux/arm',            'linux/arm/v7',         0],
  ['linux/arm/v7',         'linux/arm64',          undefined],
  ['linux/riscv64',        'linux/riscv64/rva22u64', 1],
  ['linux/ppc64le/power9', 'linux/ppc64le/power10', 1],
  ['linux/s390x',          'linux/s390x',          0],
  ['linux/s390x/z1',       'linux/s390x',          undefined],
  ['windows/amd64',        'linux/amd64',          undefined],
  ['unknown/unknown',      'linux/amd64',          undefined],
  ['linux/x86_64',         'linux/amd64',          0],
  ['linux/aarch64',        'linux/arm64',          0],
  ['linux/armhf',          'linux/arm/v7',         0],
];

describe('platformDistance()', () => {
  for (const [image, host, distance] of DISTANCES) {
    it(`${image} on ${host}: ${distance ?? 'does not run'}`, () => {
      expect(platformDistance(platformOf(image), platformOf(host))).toBe(distance);
    });
  }

  it('wants every feature that an image names, and the version when both name one', () => {
    const image: Platform = { os: 'linux', architecture: 'amd64', 'os.features': ['a'], 'os.version': '1' };
    const host: Platform = { os: 'linux', architecture: 'amd64' };
    expect(platformDistance(image, host)).toBeUndefined();
    expect(platformDistance(image, { ...host, 'os.features': ['b', 'a'] })).toBe(0);
    expect(platformDistance(image, { ...host, 'os.features': ['a'], 'os.version': '1' })).toBe(0);
    expect(platformDistance(image, { ...host, 'os.features': ['a'], 'os.version': '2' })).toBeUndefined();
  });
});

describe('normalizePlatform()', () => {
  it('gives the names of the standard, and the variant that none means', () => {
    expect(normalizePlatform(platformOf('linux/aarch64'))).toEqual(platformOf('linux/arm64/v8'));
    expect(normalizePlatform(platformOf('linux/armel'))).toEqual(platformOf('linux/arm/v6'));
    expect(normalizePlatform(platformOf('linux/armhf/v8'))).toEqual(platformOf('linux/arm/v8'));
    expect(normalizePlatform(platformOf('linux/s390x'))).toEqual(platformOf('linux/s390x'));
  });
});

const DIGEST = `sha256:${'0'.repeat(64)}`;

function entry(platform: string | undefined, mediaType = OCI_MANIFEST, size = 100): Descriptor {
  const descriptor = { mediaType, digest: DIGEST, size };
  return platform === undefined ? descriptor : { ...descriptor, platform: platformOf(platform) };
}

function select(host: string, ...manifests: readonly Descriptor[]): number | undefined {
  const index: ImageIndex = { schemaVersion: 2, manifests };
  const chosen = selectManifest(index, platformOf(host));
  return chosen === undefined ? undefined : manifests.indexOf(chosen);
}

describe('selectManifest()', () => {
  it('takes the first of those that fit equally well', () => {
    expect(
      select(
        'linux/amd64',
        entry('linux/arm64'),
        entry('linux/amd64'),
        entry('linux/amd64', OCI_MANIFEST, 7),
      ),
    ).toBe(1);
  });

  it('prefers the nearest variant to the first', () => {
    const manifests = [entry('linux/amd64'), entry('linux/amd64/v2'), entry('linux/amd64/v4')];
    expect(select('linux/amd64/v3', ...manifests)).toBe(1);
    expect(select('linux/amd64/v4', ...manifests)).toBe(2);
    expect(select('linux/amd64', ...manifests)).toBe(0);
  });

  it('takes an entry without a platform when nothing else fits', () => {
    expect(select('linux/amd64', entry(undefined), entry('linux/amd64'))).toBe(1);
    expect(select('linux/amd64', entry(undefined), entry('linux/arm64'))).toBe(0);
  });

  it('passes over what it does not know, and attestations', () => {
    expect(
      select('linux/amd64', entry('linux/amd64', 'application/x.unknown'), entry('unknown/unknown')),
    ).toBeUndefined();
    expect(select('linux/amd64', entry('linux/amd64', OCI_INDEX))).toBe(0);
    expect(select('linux/amd64')).toBeUndefined();
  });
});
