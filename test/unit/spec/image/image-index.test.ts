import { describe, expect, it } from 'vitest';
import { ImageError } from '../../../../spec/image/document.ts';
import { parseIndex } from '../../../../spec/image/image-index.ts';
import { DOCKER_MANIFEST_LIST, OCI_INDEX, OCI_MANIFEST } from '../../../../spec/image/media-type.ts';
import { formatSpecError } from '../../../../spec/spec-error.ts';
import { edited, places } from '../../../support/edit-document.ts';
import { INDEX } from '../../../support/image-documents.ts';

function complaints(document: unknown, expected?: string): readonly string[] {
  try {
    parseIndex(JSON.stringify(document), expected);
    return [];
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return error.problems.map(formatSpecError);
  }
}

const BOTH = 'must be absent: a document is an index or a manifest, not both';
const entries = (count: number) => Array.from({ length: count }, () => INDEX.manifests[2]);

// biome-ignore format: a table
const ROWS: readonly (readonly [path: string, value: unknown, ...complaints: string[]])[] = [
  ['$.manifests',                  []],
  ['$.manifests[2].size',          2 ** 40],
  ['$.manifests[2].size',          0],
  ['$.manifests[0].platform',      undefined],
  ['$.mediaType',                  undefined],
  ['$.layers',                     [],             `$.layers: ${BOTH}`],
  ['$.config',                     {},             `$.config: ${BOTH}`],
  ['$.mediaType',                  OCI_MANIFEST,   `$.mediaType: must be the media type of an image index, not "${OCI_MANIFEST}"`],
  ['$.schemaVersion',              '2',            '$.schemaVersion: must be 2'],
  ['$.manifests',                  undefined,      '$.manifests: is required'],
  ['$.manifests',                  {},             '$.manifests: must be an array'],
  ['$.manifests[2]',               'x',            '$.manifests[2]: must be an object'],
  ['$.manifests[0].size',          4_194_305,      '$.manifests[0].size: must be an integer from 2 to 4194304'],
  ['$.manifests[2].size',          2 ** 40 + 1,    '$.manifests[2].size: must be an integer from 0 to 1099511627776'],
  ['$.manifests[1].data',          'e30',          '$.manifests[1].data: must be base64'],
  ['$.manifests[1].data',          'e 30',         '$.manifests[1].data: must be base64'],
  ['$.manifests[1].data',          'e30=e30=',     '$.manifests[1].data: must be base64'],
  ['$.manifests[1].data',          'e30K',         '$.manifests[1].data: must have as many bytes as size says'],
  ['$.manifests[0].platform.os',   undefined,      '$.manifests[0].platform.os: is required'],
  ['$.manifests[0].platform.architecture', '',     '$.manifests[0].platform.architecture: must not be empty'],
];

describe('parseIndex()', () => {
  it('gives back a valid index, also of Docker', () => {
    expect(parseIndex(JSON.stringify(INDEX))).toEqual(INDEX);
    expect(complaints(INDEX, OCI_INDEX)).toEqual([]);
    expect(complaints(edited(INDEX, '$.mediaType', DOCKER_MANIFEST_LIST), DOCKER_MANIFEST_LIST)).toEqual([]);
  });

  for (const [path, value, ...expected] of ROWS) {
    it(`${expected.length > 0 ? 'refuses' : 'accepts'} ${JSON.stringify(value)?.slice(0, 60)} in ${path}`, () => {
      expect(complaints(edited(INDEX, path, value))).toEqual(expected);
    });
  }

  it('takes as many entries as a large layout has, and not more', () => {
    expect(complaints({ ...INDEX, manifests: entries(16_384) })).toEqual([]);
    expect(complaints({ ...INDEX, manifests: entries(16_385) })).toEqual([
      '$.manifests: must not have more than 16384 entries',
    ]);
  });

  it('refuses an index where its descriptor says manifest', () => {
    expect(complaints(INDEX, OCI_MANIFEST)).toEqual([
      `$.mediaType: must be "${OCI_MANIFEST}", as its descriptor says`,
    ]);
  });

  it('finds a value of another type at every place', () => {
    for (const [path, value] of places(INDEX)) {
      const wrong = typeof value === 'object' ? 'a string' : { an: 'object' };
      expect(complaints(edited(INDEX, path, wrong)).join(), path).toContain(`${path}: `);
    }
  });
});
