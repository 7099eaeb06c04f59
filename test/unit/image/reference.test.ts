import { describe, expect, it } from 'vitest';
import {
  defaultImageName,
  formatSourceReference,
  isSourceReference,
  parseImageName,
  parseSourceReference,
  type SourceReference,
} from '../../../image/reference.ts';
import { failureOf } from '../../support/image/messages.ts';

describe('parseSourceReference()', () => {
  // biome-ignore format: a table
  const GOOD: [text: string, reference: SourceReference][] = [
    ['oci:dir',                                { transport: 'oci', path: 'dir' }],
    ['oci:/images/busybox:1.36',               { transport: 'oci', path: '/images/busybox', tag: '1.36' }],
    ['oci:dir:sha256:abc',                     { transport: 'oci', path: 'dir', tag: 'sha256:abc' }],
    ['oci-archive:a.tar:latest',               { transport: 'oci-archive', path: 'a.tar', tag: 'latest' }],
    ['docker-archive:a.tar.gz:host:5000/a/b:c', { transport: 'docker-archive', path: 'a.tar.gz', tag: 'host:5000/a/b:c' }],
    ['docker-archive:./-',                     { transport: 'docker-archive', path: './-' }],
  ];
  for (const [text, reference] of GOOD) {
    it(`reads ${text}, and its like is written again`, () => {
      expect(parseSourceReference(text)).toEqual(reference);
      expect(formatSourceReference(reference)).toBe(text);
    });
  }

  // biome-ignore format: a table
  const BAD: [text: string, message: string][] = [
    ['oci:',             'image reference "oci:" names no path: oci:DIR[:TAG]'],
    ['oci:dir:',         'image reference "oci:dir:" ends with an empty tag: oci:DIR[:TAG]'],
    ['oci-archive::tag', 'image reference "oci-archive::tag" names no path: oci-archive:FILE[:TAG]'],
    ['tarball:x',        'cannot read image reference "tarball:x": unknown transport; known are oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:TAG]'],
    ['docker://busybox', 'cannot read image reference "docker://busybox": "docker:" is not a file on this machine (fetch it first, for instance with skopeo copy); known are oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:TAG]'],
    ['oci:a\0b',         'image reference contains a NUL byte'],
    [`oci:a:${'t'.repeat(513)}`, 'tag of image reference is longer than 512 characters'],
  ];
  for (const [text, message] of BAD) {
    it(`refuses ${JSON.stringify(text.slice(0, 30))}`, async () => {
      expect(await failureOf(() => parseSourceReference(text))).toBe(message);
    });
  }
});

describe('isSourceReference()', () => {
  it('tells sources from names of the store', () => {
    expect(['oci:a', 'docker-archive:b:c', 'docker://a'].map(isSourceReference)).toEqual([true, true, true]);
    expect(['busybox', 'busybox:1', 'docker:latest', 'host:5000/a'].map(isSourceReference)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('parseImageName()', () => {
  it('adds the tag that is meant', () => {
    const names = ['busybox', 'busybox:1.36', 'host:5000/a/b', 'host:5000/a/b:Tag_1', 'a__b/c-d.e'];
    expect(names.map(parseImageName)).toEqual([
      'busybox:latest',
      'busybox:1.36',
      'host:5000/a/b:latest',
      'host:5000/a/b:Tag_1',
      'a__b/c-d.e:latest',
    ]);
  });

  const BAD = [
    '',
    'Upper',
    '../x',
    'a/../b',
    '/a',
    'a/',
    'a//b',
    '.a',
    'a b',
    'a:',
    'a:b:c',
    'a\n',
    `a:${'t'.repeat(129)}`,
  ];
  for (const name of BAD) {
    it(`refuses ${JSON.stringify(name.slice(0, 20))}`, async () => {
      expect(await failureOf(() => parseImageName(name))).toMatch(/^image name ".*" is not of the form/s);
    });
  }

  it('refuses one that no file name could hold', async () => {
    expect(await failureOf(() => parseImageName('a'.repeat(201)))).toBe(
      'image name is longer than 200 characters',
    );
  });
});

describe('defaultImageName()', () => {
  // biome-ignore format: a table
  const CASES: [reference: string, nameInSource: string | undefined, name: string][] = [
    ['oci:/images/busybox:1.36',      '1.36',                               'busybox:1.36'],
    ['oci:/images/busybox',           undefined,                            'busybox:latest'],
    ['oci-archive:My Image.tar.gz:t', 't',                                  'my-image:t'],
    ['docker-archive:saved.tar',      'docker.io/library/busybox:1',        'busybox:1'],
    ['docker-archive:saved.tar:1',    'quay.io/a/b:1',                      'quay.io/a/b:1'],
    ['docker-archive:saved.tar',      undefined,                            'saved:latest'],
    ['oci:/images/…:1',               '1',                                  'image:1'],
    ['oci:a:sha256:abc',              undefined,                            'a:latest'],
  ];
  for (const [reference, nameInSource, name] of CASES) {
    it(`calls ${reference} ${name}`, () => {
      expect(defaultImageName(parseSourceReference(reference), nameInSource)).toBe(name);
    });
  }
});
