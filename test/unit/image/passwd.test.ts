import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ImageUser, resolveUser } from '../../../image/passwd.ts';
import { Root } from '../../../sys/path.ts';
import { failureOf } from '../../support/image/messages.ts';
import { Scratch } from '../../support/image/scratch.ts';

const PASSWD = `root:x:0:0:root:/root:/bin/sh
www-data:x:33:33::/var/www:/bin/false
alice:x:1000:1001:Alice,,,:/home/alice:/bin/sh
alice:x:0:0:second:/evil:/bin/sh
1234:x:0:0:a name of digits:/:/bin/sh
-1:x:0:0:minus:/:/bin/sh
big:x:4294967296:0::/:/bin/sh
minus:x:-1:0::/:/bin/sh
none:x:4294967295:0::/:/bin/sh
hex:x:0x10:0::/:/bin/sh
biggroup:x:7:4294967296::/:/bin/sh
short:x:5
# comment

`;
const GROUP = `root:x:0:
www-data:x:33:
adm:x:4:alice,www-data
staff:x:50:alice
staff:x:51:
huge:x:99999999999:carol
0:x:77:
`;

interface Files {
  readonly passwd?: string;
  readonly group?: string;
}

function resolve(user: string, { passwd = PASSWD, group = GROUP }: Files = {}): ImageUser {
  using scratch = new Scratch();
  mkdirSync(scratch.join('etc'));
  writeFileSync(scratch.join('etc/passwd'), passwd);
  writeFileSync(scratch.join('etc/group'), group);
  using root = Root.open(scratch.path);
  return resolveUser(root, user);
}

describe('resolveUser()', () => {
  // biome-ignore format: a table
  const CASES: [user: string, expected: ImageUser][] = [
    ['',              { uid: 0,    gid: 0,    additionalGids: [],     home: '/root' }],
    ['root',          { uid: 0,    gid: 0,    additionalGids: [],     home: '/root' }],
    ['0',             { uid: 0,    gid: 0,    additionalGids: [],     home: '/root' }],
    ['alice',         { uid: 1000, gid: 1001, additionalGids: [4, 50], home: '/home/alice' }],
    ['1000',          { uid: 1000, gid: 1001, additionalGids: [4, 50], home: '/home/alice' }],
    ['alice:staff',   { uid: 1000, gid: 50,   additionalGids: [],     home: '/home/alice' }],
    ['alice:0',       { uid: 1000, gid: 0,    additionalGids: [],     home: '/home/alice' }],
    ['1000:staff',    { uid: 1000, gid: 50,   additionalGids: [],     home: '/home/alice' }],
    ['1000:7',        { uid: 1000, gid: 7,    additionalGids: [],     home: '/home/alice' }],
    ['4242',          { uid: 4242, gid: 0,    additionalGids: [] }],
    ['4242:4343',     { uid: 4242, gid: 4343, additionalGids: [] }],
    ['www-data',      { uid: 33,   gid: 33,   additionalGids: [4],    home: '/var/www' }],
    ['4294967294',    { uid: 4294967294, gid: 0, additionalGids: [] }],
  ];
  for (const [user, expected] of CASES) {
    it(`reads ${JSON.stringify(user)}`, () => expect(resolve(user)).toEqual(expected));
  }

  it('does without the files where numbers say everything', () => {
    using scratch = new Scratch();
    using root = Root.open(scratch.path);
    expect(resolveUser(root, '')).toEqual({ uid: 0, gid: 0, additionalGids: [] });
    expect(resolveUser(root, '7:8')).toEqual({ uid: 7, gid: 8, additionalGids: [] });
    expect(() => resolveUser(root, 'alice')).toThrow('the image has no user "alice" in its /etc/passwd');
  });
});

describe('resolveUser() and hostile users (L-09)', () => {
  // biome-ignore format: a table
  const REFUSED: [user: string, message: string][] = [
    ['nobody',                  'the image has no user "nobody" in its /etc/passwd'],
    ['alice:nogroup',           'the image has no group "nogroup" in its /etc/group'],
    ['4294967295',              'id "4294967295" of user "4294967295" is not a number from 0 to 4294967294'],
    ['4294967296',              'id "4294967296" of user "4294967296" is not a number from 0 to 4294967294'],
    ['999999999999999999999',   'id "999999999999999999999" of user "999999999999999999999" is not a number from 0 to 4294967294'],
    ['-1',                      'id "-1" of user "-1" is not a number from 0 to 4294967294'],
    ['+0',                      'id "+0" of user "+0" is not a number from 0 to 4294967294'],
    ['1000:4294967295',         'id "4294967295" of group "4294967295" is not a number from 0 to 4294967294'],
    ['1000:-1',                 'id "-1" of group "-1" is not a number from 0 to 4294967294'],
    ['big',                     'id "4294967296" of user "big" is not a number from 0 to 4294967294'],
    ['minus',                   'id "-1" of user "minus" is not a number from 0 to 4294967294'],
    ['none',                    'id "4294967295" of user "none" is not a number from 0 to 4294967294'],
    ['hex',                     'id "0x10" of user "hex" is not a number from 0 to 4294967294'],
    ['biggroup',                'id "4294967296" of group "biggroup" is not a number from 0 to 4294967294'],
    ['alice:huge',              'id "99999999999" of group "huge" is not a number from 0 to 4294967294'],
    ['short',                   'the image has no user "short" in its /etc/passwd'],
    ['alice:',                  'user "alice:" is not USER[:GROUP]'],
    ['a:b:c',                   'user "a:b:c" is not USER[:GROUP]'],
    [':',                       'user ":" is not USER[:GROUP]'],
  ];
  for (const [user, message] of REFUSED) {
    it(`refuses ${user}`, async () => expect(await failureOf(() => resolve(user))).toBe(message));
  }

  it('never takes digits for a name', () => {
    expect(resolve('1234')).toEqual({ uid: 1234, gid: 0, additionalGids: [] });
    expect(resolve('alice:0').gid).toBe(0);
  });

  it('takes the first of two lines with one name', () => {
    expect(resolve('alice').uid).toBe(1000);
    expect(resolve('alice:staff').gid).toBe(50);
  });

  it('refuses a user in more groups than the kernel has', async () => {
    const group = Array.from({ length: 65_537 }, (_, gid) => `g${gid}:x:${gid}:alice\n`).join('');
    expect(await failureOf(() => resolve('alice', { group }))).toBe(
      'user "alice" is in more than 65536 groups',
    );
  });
});

describe('resolveUser() and hostile files (L-09)', () => {
  // biome-ignore format: a table
  const CASES: [what: string, make: (file: string, outside: string) => void, message: string | RegExp][] = [
    ['a fifo',                (file) => execFileSync('mkfifo', [file]),            'cannot read /etc/passwd of the image: not a regular file'],
    ['a directory',           (file) => mkdirSync(file),                           'cannot read /etc/passwd of the image: not a regular file'],
    ['a file of 10 MiB + 1',  (file) => { writeFileSync(file, PASSWD); truncateSync(file, 10 * 2 ** 20 + 1); }, 'cannot read /etc/passwd of the image: longer than 10485760 bytes'],
    ['a file of 10 MiB',      (file) => { writeFileSync(file, PASSWD); truncateSync(file, 10 * 2 ** 20); }, 'succeeded'],
    ['a link out of the root', (file, outside) => symlinkSync(`${outside}/passwd`, file), 'the image has no user "alice" in its /etc/passwd'],
    ['a link that climbs',    (file) => symlinkSync('../../../../../../etc/passwd', file), /^openat2 "etc\/passwd": too many levels of symbolic links$/],
    ['a link in the root',    (file) => { writeFileSync(`${file}.real`, PASSWD); symlinkSync('/etc/passwd.real', file); }, 'succeeded'],
  ];
  for (const [what, make, message] of CASES) {
    it(`meets ${what}`, async () => {
      using scratch = new Scratch();
      using outside = new Scratch();
      writeFileSync(outside.join('passwd'), PASSWD);
      mkdirSync(scratch.join('etc'));
      make(scratch.join('etc/passwd'), outside.path);
      using root = Root.open(scratch.path);
      const said = await failureOf(() => resolveUser(root, 'alice'));
      if (typeof message === 'string') expect(said).toBe(message);
      else expect(said).toMatch(message);
    });
  }
});
