import { describe, expect, it } from 'vitest';
import { findMediaType } from '../../../../spec/image/media-type.ts';

const OCI = 'application/vnd.oci.image';
const DOCKER = 'application/vnd.docker';

// biome-ignore format: a table
const CASES: readonly (readonly [name: string, expected: object | undefined])[] = [
  [`${OCI}.index.v1+json`,                                     { kind: 'index' }],
  [`${OCI}.manifest.v1+json`,                                  { kind: 'manifest' }],
  [`${OCI}.config.v1+json`,                                    { kind: 'config' }],
  [`${OCI}.layer.v1.tar`,                                      { kind: 'layer', compression: 'none' }],
  [`${OCI}.layer.v1.tar+gzip`,                                 { kind: 'layer', compression: 'gzip' }],
  [`${OCI}.layer.v1.tar+zstd`,                                 { kind: 'layer', compression: 'zstd' }],
  [`${OCI}.layer.nondistributable.v1.tar+gzip`,                { kind: 'layer', compression: 'gzip' }],
  ['application/vnd.oci.empty.v1+json',                        { kind: 'empty' }],
  ['application/vnd.oci.layout.header.v1+json',                { kind: 'layout' }],
  [`${DOCKER}.distribution.manifest.list.v2+json`,             { kind: 'index' }],
  [`${DOCKER}.distribution.manifest.v2+json`,                  { kind: 'manifest' }],
  [`${DOCKER}.container.image.v1+json`,                        { kind: 'config' }],
  [`${DOCKER}.image.rootfs.diff.tar.gzip`,                     { kind: 'layer', compression: 'gzip' }],
  [`${DOCKER}.image.rootfs.foreign.diff.tar.gzip`,             { kind: 'layer', compression: 'gzip' }],
  [`${DOCKER}.distribution.manifest.v1+prettyjws`,             undefined],
  [`${OCI}.layer.v1.tar+lzma`,                                 undefined],
  [`${OCI}.Manifest.v1+json`,                                  undefined],
  ['',                                                         undefined],
  ['constructor',                                              undefined],
];

describe('findMediaType()', () => {
  for (const [name, expected] of CASES) {
    it(`${expected === undefined ? 'does not know' : 'knows'} ${JSON.stringify(name)}`, () => {
      expect(findMediaType(name)).toEqual(expected);
    });
  }
});
