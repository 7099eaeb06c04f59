import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalSysctl, findSysctl } from '../../../spec/sysctl.ts';
import { complaintsAfter } from '../../support/complaints.ts';

// biome-ignore format: a table
const ALLOWED: readonly (readonly [key: string, namespace: string, path: string])[] = [
  ['net.ipv4.ip_forward',               'network', 'net/ipv4/ip_forward'],
  ['net/ipv4/ip_forward',               'network', 'net/ipv4/ip_forward'],
  ['net/ipv4/conf/eno2.100/rp_filter',  'network', 'net/ipv4/conf/eno2.100/rp_filter'],
  ['net.ipv4.conf.eno2/100.rp_filter',  'network', 'net/ipv4/conf/eno2.100/rp_filter'],
  ['kernel.shm_rmid_forced',            'ipc',     'kernel/shm_rmid_forced'],
  ['kernel/sem',                        'ipc',     'kernel/sem'],
  ['fs.mqueue.queues_max',              'ipc',     'fs/mqueue/queues_max'],
  ['kernel.domainname',                 'uts',     'kernel/domainname'],
  ['user.max_user_namespaces',          'user',    'user/max_user_namespaces'],
];

const REFUSED = [
  'kernel.core_pattern',
  'kernel/core_pattern',
  'net/../kernel/core_pattern',
  'net.//.kernel.core_pattern',
  'fs.mqueue/../../kernel/core_pattern',
  'fs.mqueue...',
  'kernel.shmmax/../core_pattern',
  'kernel.shmmax.x',
  'kernel.shmmax.',
  'vm.swappiness',
  'kernel.modprobe',
  'net',
  'net.',
  'net..x',
  '.net.x',
  '/net/x',
  'net/./x',
  'net./.x',
  'net.a b',
  'net.a\nb',
  '',
  'network.x',
  'user',
  'fs.mqueue',
  'fs.mqueuex.y',
  'kernel',
  'constructor',
  '..',
  '/',
  '.',
];

describe('findSysctl()', () => {
  for (const [key, namespace, path] of ALLOWED) {
    it(`knows that ${key} belongs to a ${namespace} namespace`, () => {
      expect(findSysctl(key)).toEqual({ namespace, path });
    });
  }

  for (const key of REFUSED) {
    it(`finds no namespace for ${JSON.stringify(key)}`, () => {
      expect(findSysctl(key)).toBeUndefined();
    });
  }

  it('never gives a path that leaves the part of /proc/sys it stands for', () => {
    const piece = fc.constantFrom(
      'net',
      'kernel',
      'fs',
      'mqueue',
      'user',
      'core_pattern',
      '.',
      '/',
      '..',
      '',
      'a',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = findSysctl(pieces.join(''))?.path;
        if (path === undefined) return;
        expect(path).toMatch(/^(?:net|user|fs\/mqueue|kernel)\//);
        expect(new URL(path, 'file:///proc/sys/').pathname).toBe(`/proc/sys/${path}`);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('canonicalSysctl()', () => {
  it('turns the separator that comes first into dots, and swaps the other', () => {
    expect(canonicalSysctl('net/ipv4/conf/eno2.100/rp_filter')).toBe('net.ipv4.conf.eno2/100.rp_filter');
    expect(canonicalSysctl('net.ipv4.conf.eno2/100.rp_filter')).toBe('net.ipv4.conf.eno2/100.rp_filter');
    expect(canonicalSysctl('kernel')).toBe('kernel');
  });
});

describe('linux.sysctl', () => {
  const AT = '$.linux.sysctl';

  it('refuses what no namespace contains, with its own name in the text', () => {
    expect(complaintsAfter(AT, { 'kernel/core_pattern': 'x' })).toEqual([
      `${AT}["kernel/core_pattern"]: sysctl "kernel.core_pattern" is not in a separate kernel namespace`,
    ]);
  });

  it('refuses kernel.hostname, which has a property of its own', () => {
    expect(complaintsAfter(AT, { 'kernel.hostname': 'x' })).toEqual([
      `${AT}["kernel.hostname"]: sysctl "kernel.hostname" is not allowed as it conflicts with the OCI "hostname" field`,
    ]);
  });

  it('refuses to set a key twice under two spellings', () => {
    expect(complaintsAfter(AT, { 'net.core.somaxconn': '1', 'net/core/somaxconn': '2' })).toEqual([
      `${AT}["net/core/somaxconn"]: must not set "net.core.somaxconn" again`,
    ]);
  });

  it('refuses values that could carry a second setting, and takes lists of numbers', () => {
    const value = (text: string) => complaintsAfter(AT, { 'net.ipv4.ping_group_range': text });
    for (const text of ['0 1', '0\t2147483647', '', '1-3,5', 'a:b']) expect(value(text)).toEqual([]);
    for (const text of ['1+kernel.core_pattern=|/x', '1\n2', '1\r', '\u0085', 'é', '\u007f']) {
      expect(value(text)).toEqual([
        `${AT}["net.ipv4.ping_group_range"]: must be printable ASCII without "+"`,
      ]);
    }
    expect(value('0'.repeat(4096))).toEqual([
      `${AT}["net.ipv4.ping_group_range"]: must not be longer than 4095 bytes`,
    ]);
  });
});
