import { describe, expect, it } from 'vitest';
import { complaintsAfter } from '../../../support/complaints.ts';

const ACCEPTED = [
  '1.0.0',
  '1.0.2-dev',
  '1.0.2',
  '1.1.0+dev',
  '1.2.1',
  '1.3.0',
  '1.3.9',
  '1.0.0-rc5',
  '1.3.0-rc.1+build.5',
];
const OTHER = ['0.5.0-dev', '1.4.0', '1.10.0', '2.0.0', '11.0.0', '1.4.0-rc.1'];
const NO_VERSION = ['', '1', '1.0', 'v1.0.0', '1.0.0 ', '01.0.0', '1.0.0-', '1.0.0-a..b', '1.0.x', '1.0.0\n'];

describe('ociVersion', () => {
  it('may be any from 1.0.0 to 1.3.x, with suffixes', () => {
    for (const version of ACCEPTED) expect(complaintsAfter('$.ociVersion', version)).toEqual([]);
  });

  it('must not be older or newer', () => {
    for (const version of OTHER) {
      const complaints = complaintsAfter('$.ociVersion', version);
      expect(complaints, version).toEqual(['$.ociVersion: must be a version from 1.0.0 to 1.3.x']);
    }
  });

  it('must be a semantic version', () => {
    for (const version of NO_VERSION) {
      const complaints = complaintsAfter('$.ociVersion', version);
      expect(complaints, version).toEqual(['$.ociVersion: must be a semantic version such as "1.3.0"']);
    }
    expect(complaintsAfter('$.ociVersion', undefined)).toEqual(['$.ociVersion: is required']);
    expect(complaintsAfter('$.ociVersion', 1.3)).toEqual(['$.ociVersion: must be a string']);
  });
});
