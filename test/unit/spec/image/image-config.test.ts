import { describe, expect, it } from 'vitest';
import { ImageError } from '../../../../spec/image/document.ts';
import { parseImageConfig, validateImage } from '../../../../spec/image/image-config.ts';
import { formatSpecError } from '../../../../spec/spec-error.ts';
import { edited, places } from '../../../support/edit-document.ts';
import { IMAGE_CONFIG, MANIFEST } from '../../../support/image-documents.ts';

function complaints(document: unknown): readonly string[] {
  try {
    parseImageConfig(JSON.stringify(document));
    return [];
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return error.problems.map(formatSpecError);
  }
}

// biome-ignore format: a table
const ROWS: readonly (readonly [path: string, value: unknown, ...complaints: string[]])[] = [
  ['$.config',               undefined],
  ['$.config',               {}],
  ['$.config',               null],
  ['$.config.Healthcheck',   { Test: ['NONE'] }],
  ['$.config.Memory',        1e10],
  ['$.history',              undefined],
  ['$.variant',              'v3'],
  ['$.rootfs.diff_ids',      []],
  ['$.os',                   undefined,         '$.os: is required'],
  ['$.architecture',         '',                '$.architecture: must not be empty'],
  ['$.rootfs',               undefined,         '$.rootfs: is required'],
  ['$.rootfs.type',          'tree',            '$.rootfs.type: must be one of "layers", not "tree"'],
  ['$.rootfs.diff_ids[0]',   'sha256:../x',     '$.rootfs.diff_ids[0]: must be a sha256, sha512 or blake3 digest in lower case'],
  ['$.config.Env',           ['FOO', '*', '=x', 'A=1'], "$.config.Env[0]: invalid environment variable: missing '='", "$.config.Env[1]: invalid environment variable: missing '='", '$.config.Env[2]: invalid environment variable: name cannot be empty'],
  ['$.config.Cmd',           'sh',              '$.config.Cmd: must be an array'],
  ['$.config.Volumes',       ['/data'],         '$.config.Volumes: must be an object'],
  ['$.config.Volumes',       { '': {} },        '$.config.Volumes[""]: must not have an empty key'],
  ['$.config.Volumes',       { '/a': 1 },       '$.config.Volumes["/a"]: must be an object'],
  ['$.config.WorkingDir',    '/a\0',            '$.config.WorkingDir: must not contain a NUL byte'],
  ['$.config.Labels',        { a: 1 },          '$.config.Labels.a: must be a string'],
];

describe('parseImageConfig()', () => {
  it('gives back a valid configuration', () => {
    expect(parseImageConfig(JSON.stringify(IMAGE_CONFIG))).toEqual(IMAGE_CONFIG);
  });

  for (const [path, value, ...expected] of ROWS) {
    it(`${expected.length > 0 ? 'refuses' : 'accepts'} ${JSON.stringify(value)} in ${path}`, () => {
      expect(complaints(edited(IMAGE_CONFIG, path, value))).toEqual(expected);
    });
  }

  it('takes the nulls that Docker writes for absent', () => {
    const docker = {
      ...IMAGE_CONFIG,
      config: { Cmd: ['sh'], Entrypoint: null, Volumes: null, Labels: null, OnBuild: null },
    };
    expect(parseImageConfig(JSON.stringify(docker)).config).toEqual({ Cmd: ['sh'] });
  });

  it('finds a value of another type at every place', () => {
    for (const [path, value] of places(IMAGE_CONFIG)) {
      const wrong = typeof value === 'object' ? 'a string' : { an: 'object' };
      expect(complaints(edited(IMAGE_CONFIG, path, wrong)).join(), path).toContain(`${path}: `);
    }
  });
});

describe('validateImage()', () => {
  it('wants a diff_id for each layer', () => {
    expect(validateImage(MANIFEST, IMAGE_CONFIG)).toEqual([]);
    const short = { ...MANIFEST, layers: MANIFEST.layers.slice(1) };
    expect(validateImage(short, IMAGE_CONFIG).map(formatSpecError)).toEqual([
      '$.rootfs.diff_ids: must have one entry for each layer: has 2 for 1',
    ]);
  });
});
