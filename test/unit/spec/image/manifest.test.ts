import { describe, expect, it } from 'vitest';
import { ImageError } from '../../../../spec/image/document.ts';
import { parseManifest } from '../../../../spec/image/manifest.ts';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../../../spec/image/media-type.ts';
import { formatSpecError } from '../../../../spec/spec-error.ts';
import { edited, places } from '../../../support/edit-document.ts';
import { MANIFEST } from '../../../support/image-documents.ts';

function complaints(document: unknown, expected?: string): readonly string[] {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  try {
    parseManifest(text, expected);
    return [];
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return error.problems.map(formatSpecError);
  }
}

const layers = (count: number) => Array.from({ length: count }, () => MANIFEST.layers[0]);
const DIGEST = 'must be a sha256, sha512 or blake3 digest in lower case';
const SIZE = '$.layers[0].size: must be an integer from 1 to 1099511627776';

// biome-ignore format: a table
const ROWS: readonly (readonly [path: string, value: unknown, ...complaints: string[]])[] = [
  ['$.mediaType',         undefined],
  ['$.subject',           undefined],
  ['$.unknown',           { any: ['thing'] }],
  ['$.layers',            layers(500)],
  ['$.layers[0].mediaType', 'application/x.unknown'],
  ['$.layers',            layers(501),            '$.layers: must not have more than 500 entries'],
  ['$.layers',            [],                     '$.layers: must not be empty'],
  ['$.layers',            undefined,              '$.layers: is required'],
  ['$.config',            undefined,              '$.config: is required'],
  ['$.manifests',         [],                     '$.manifests: must be absent: a document is an index or a manifest, not both'],
  ['$.schemaVersion',     1,                      '$.schemaVersion: must be 2'],
  ['$.schemaVersion',     undefined,              '$.schemaVersion: is required'],
  ['$.mediaType',         OCI_INDEX,              `$.mediaType: must be the media type of an image manifest, not "${OCI_INDEX}"`],
  ['$.mediaType',         'text/html',            '$.mediaType: must be the media type of an image manifest, not "text/html"'],
  ['$.mediaType',         'nonsense',             '$.mediaType: must be a media type such as "application/json"'],
  ['$.config.size',       1,                      '$.config.size: must be an integer from 2 to 4194304'],
  ['$.config.size',       4_194_305,              '$.config.size: must be an integer from 2 to 4194304'],
  ['$.layers[0].size',    2 ** 40],
  ['$.layers[0].size',    2 ** 40 + 1,            SIZE],
  ['$.layers[0].size',    0,                      SIZE],
  ['$.layers[0].size',    -1,                     SIZE],
  ['$.layers[0].size',    '5',                    SIZE],
  ['$.layers[0].size',    0.5,                    SIZE],
  ['$.layers[0].digest',  'sha256:../../etc/x',   `$.layers[0].digest: ${DIGEST}`],
  ['$.layers[0].digest',  `sha256:${'A'.repeat(64)}`, `$.layers[0].digest: ${DIGEST}`],
  ['$.layers[0].digest',  `sha256:${'a'.repeat(63)}`, `$.layers[0].digest: ${DIGEST}`],
  ['$.layers[0].digest',  undefined,              '$.layers[0].digest: is required'],
  ['$.layers[0].urls',    Array(65).fill('https://example.com'), '$.layers[0].urls: must not have more than 64 entries'],
  ['$.annotations',       { '': 'x' },            '$.annotations[""]: must not have an empty key'],
  ['$.annotations.a',     'a\0',                  '$.annotations.a: must not contain a NUL byte'],
  ['$.artifactType',      'a/b/c',                '$.artifactType: must be a media type such as "application/json"'],
];

describe('parseManifest()', () => {
  it('gives back a valid manifest, with or without an expectation', () => {
    expect(parseManifest(JSON.stringify(MANIFEST))).toEqual(MANIFEST);
    expect(complaints(MANIFEST, OCI_MANIFEST)).toEqual([]);
  });

  for (const [path, value, ...expected] of ROWS) {
    it(`${expected.length > 0 ? 'refuses' : 'accepts'} ${JSON.stringify(value)?.slice(0, 60)} in ${path}`, () => {
      expect(complaints(edited(MANIFEST, path, value))).toEqual(expected);
    });
  }

  it('refuses a document of another type than its descriptor says', () => {
    const docker = edited(MANIFEST, '$.mediaType', DOCKER_MANIFEST);
    const untyped = edited(MANIFEST, '$.mediaType', undefined);
    expect(complaints(docker, DOCKER_MANIFEST)).toEqual([]);
    expect(complaints(docker, OCI_MANIFEST)).toEqual([
      `$.mediaType: must be "${OCI_MANIFEST}", as its descriptor says`,
    ]);
    expect(complaints(MANIFEST, DOCKER_MANIFEST)).toEqual([
      `$.mediaType: must be "${DOCKER_MANIFEST}", as its descriptor says`,
    ]);
    expect(complaints(untyped, OCI_MANIFEST)).toEqual([]);
    expect(complaints(untyped, DOCKER_MANIFEST)).toEqual([
      `$.mediaType: must be "${DOCKER_MANIFEST}", as its descriptor says`,
    ]);
  });

  it('refuses duplicate names, deep nesting and a text that is too long', () => {
    const text = JSON.stringify(MANIFEST);
    expect(complaints(text.replace('{', '{"layers":[],'))).toEqual(['$.layers: is given twice']);
    expect(complaints('['.repeat(20_000))).toEqual(['$: nests deeper than 64 levels']);
    expect(complaints(text.padEnd(4_194_304))).toEqual([]);
    expect(complaints(text.padEnd(4_194_305))).toEqual(['$: is longer than 4194304 bytes']);
    expect(complaints('null')).toEqual(['$: must be an object']);
  });

  it('finds a value of another type at every place', () => {
    for (const [path, value] of places(MANIFEST)) {
      const wrong = typeof value === 'object' ? 'a string' : { an: 'object' };
      expect(complaints(edited(MANIFEST, path, wrong)).join(), path).toContain(`${path}: `);
    }
  });
});
