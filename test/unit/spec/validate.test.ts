import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../spec/config.ts';
import { formatConfig } from '../../../spec/default-config.ts';
import { formatSpecError } from '../../../spec/spec-error.ts';
import {
  CONFIG_BYTES_MAX,
  ConfigError,
  parseConfig,
  requireProcess,
  validateConfig,
} from '../../../spec/validate.ts';
import { complaints, complaintsAfter, type Row, rowName } from '../../support/complaints.ts';
import { edited, places } from '../../support/edit-document.ts';
import { FULL_CONFIG } from '../../support/full-config.ts';

const ROWS: readonly Row[] = [
  ['$.root', undefined, '$.root: root must be specified'],
  ['$.root.path', undefined, '$.root.path: is required'],
  ['$.root.path', '', '$.root.path: must not be empty'],
  ['$.root.path', '/abs'],
  ['$.root.readonly', 'yes', '$.root.readonly: must be true or false'],
  ['$.hostname', ''],
  ['$.hostname', 'a'.repeat(64)],
  ['$.hostname', 'a'.repeat(65), '$.hostname: must not be longer than 64 bytes'],
  ['$.hostname', 'é'.repeat(33), '$.hostname: must not be longer than 64 bytes'],
  ['$.hostname', 'a\nb', '$.hostname: must not contain control characters'],
  ['$.hostname', 'a\u009bb', '$.hostname: must not contain control characters'],
  ['$.domainname', '\u007f', '$.domainname: must not contain control characters'],
  ['$.annotations', {}],
  ['$.annotations', { '': 'x' }, '$.annotations[""]: must not have an empty key'],
  ['$.annotations', { a: 1 }, '$.annotations.a: must be a string'],
  ['$.annotations', { a: { b: 'c' } }, '$.annotations.a: must be a string'],
  [
    '$.annotations',
    { 'a\0': 'x' },
    '$.annotations["a\\u0000"]: must not have a NUL byte or half a character in its name',
  ],
  ['$.annotations', { 'org.systemd.property.ExecStopPost': '../\n' }],
  ['$.annotations', { a: 'x'.repeat(262_144) }],
  ['$.annotations', { a: 'x'.repeat(262_145) }, '$.annotations.a: must not be longer than 262144 bytes'],
  ['$.windows', { layerFolders: 5 }],
  ['$.process.commandLine', 5],
  ['$.unknown', { deeply: [{ unknown: 1.5 }] }],
  ['$.unknown', 'a\0', '$.unknown: must not contain a NUL byte'],
];

describe('validateConfig()', () => {
  it('accepts a configuration with every property, and one with the least', () => {
    expect(complaints(FULL_CONFIG)).toEqual([]);
    expect(complaints({ ociVersion: '1.0.0', root: { path: 'rootfs' } })).toEqual([]);
  });

  for (const [index, row] of ROWS.entries()) {
    it(`${index}: ${rowName(row)}`, () => {
      const [path, value, ...expected] = row;
      expect(complaintsAfter(path, value)).toEqual(expected);
    });
  }

  it('refuses what is no object', () => {
    expect(complaints(null)).toEqual(['$: config cannot be null']);
    for (const value of [undefined, [], 'x', 0, true])
      expect(complaints(value)).toEqual(['$: must be an object']);
  });

  it('reports every problem, not only the first', () => {
    const config = {
      ociVersion: '2.0.0',
      process: { cwd: 'tmp', args: [], user: { uid: '0' } },
      hostname: 'h',
      linux: { namespaces: [{ type: 'pid' }, { type: 'pid' }], maskedPaths: ['/proc/kcore'] },
    };
    expect(complaints(config)).toEqual([
      '$.ociVersion: must be a version from 1.0.0 to 1.3.x',
      '$.process.user.uid: must be an integer from 0 to 4294967294',
      '$.process.user.gid: is required',
      '$.process.args: args must not be empty',
      '$.process.cwd: must be an absolute path',
      '$.root: root must be specified',
      '$.linux.namespaces[1].type: must not repeat "pid"',
    ]);
    const otherwise = { ...config, linux: { ...config.linux, namespaces: [{ type: 'pid' }] } };
    expect(complaints(otherwise).slice(-2)).toEqual([
      '$.hostname: unable to set hostname without a private UTS namespace',
      '$.linux.maskedPaths: unable to restrict sys entries without a private MNT namespace',
    ]);
  });

  it('reports at most a thousand of them', () => {
    const errors = validateConfig(edited(FULL_CONFIG, '$.process.env', Array(5000).fill('x')));
    expect(errors.length).toBe(1001);
  });

  it('finds a value of another type at every place', () => {
    for (const [path, value] of places(FULL_CONFIG)) {
      const wrong = typeof value === 'object' ? 'a string' : { an: 'object' };
      const errors = validateConfig(edited(FULL_CONFIG, path, wrong));
      expect(
        errors.map((error) => error.path),
        path,
      ).toContain(path);
    }
  });

  it('calls a configuration valid that the standard’s tables make', () => {
    fc.assert(
      fc.property(validConfig, (config) => {
        expect(complaints(config)).toEqual([]);
      }),
    );
  });

  it('finds one change of a valid configuration, there and nowhere else', () => {
    fc.assert(
      fc.property(validConfig, fc.nat(), (config, choice) => {
        const all = [...places(config)].filter(([path]) => !/^\$\.(?:annotations|linux)$/.test(path));
        const [path, value] = all[choice % all.length] ?? ['$', config];
        const wrong = typeof value === 'object' ? 7 : [];
        const errors = validateConfig(edited(config, path, wrong)).map((error) => error.path);
        expect(errors).toEqual([path]);
      }),
    );
  });
});

const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,10}$/);
const absolute = fc.array(name, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
const id = fc.nat({ max: 4294967294 });
const hook = fc.record(
  {
    path: absolute,
    args: fc.array(name),
    env: fc.constant(['A=b']),
    timeout: fc.integer({ min: 1, max: 1000 }),
  },
  { requiredKeys: ['path'] },
);

const validConfig = fc.record(
  {
    ociVersion: fc.constantFrom('1.0.0', '1.0.2-dev', '1.3.0'),
    root: fc.record({ path: name, readonly: fc.boolean() }, { requiredKeys: ['path'] }),
    process: fc.record(
      {
        cwd: absolute,
        args: fc.array(name, { minLength: 1, maxLength: 3 }),
        user: fc.record({ uid: id, gid: id, additionalGids: fc.array(id, { maxLength: 3 }) }),
        env: fc.array(
          fc.tuple(name, fc.string()).map(([key, value]) => `${key}=${value.replaceAll('\0', '')}`),
        ),
        oomScoreAdj: fc.integer({ min: -1000, max: 1000 }),
        noNewPrivileges: fc.boolean(),
      },
      { requiredKeys: ['cwd', 'args'] },
    ),
    hostname: name,
    mounts: fc.array(fc.record({ destination: absolute, type: name, source: name, options: fc.array(name) })),
    hooks: fc.record({ createRuntime: fc.array(hook), poststop: fc.array(hook) }, { requiredKeys: [] }),
    annotations: fc.dictionary(
      name,
      fc.string().map((value) => value.replaceAll('\0', '')),
      { noNullPrototype: true },
    ),
    linux: fc.record({
      namespaces: fc
        .subarray(['pid', 'network', 'mount', 'ipc', 'cgroup', 'time'])
        .map((types) => ['uts', ...types].map((type) => ({ type }))),
      cgroupsPath: absolute.filter((value) => value !== ''),
      resources: fc.record({
        memory: fc.record({ limit: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }).map(asRead) }),
        pids: fc.record({ limit: fc.integer({ min: -1, max: 4_194_304 }) }),
      }),
    }),
  },
  { requiredKeys: ['ociVersion', 'root', 'linux'] },
);

/** As the reader gives it: a number up to 2^53. */
function asRead(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

function thrownBy(input: string | Uint8Array): unknown {
  try {
    parseConfig(input);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('parseConfig()', () => {
  const text = formatConfig(FULL_CONFIG);

  it('gives back what was written, from text and from bytes', () => {
    expect(parseConfig(text)).toEqual(FULL_CONFIG);
    expect(parseConfig(new TextEncoder().encode(text))).toEqual(FULL_CONFIG);
  });

  it('takes null for absent, as every reader in Go does', () => {
    const minimal: Config = { ociVersion: '1.0.0', root: { path: 'rootfs' } };
    expect(parseConfig('{"ociVersion":"1.0.0","root":{"path":"rootfs"},"hooks":null,"linux":null}')).toEqual(
      minimal,
    );
    expect(formatSpecErrorOf('{"ociVersion":null,"root":{"path":"rootfs"}}')).toBe(
      '$.ociVersion: is required',
    );
    expect(formatSpecErrorOf('null')).toBe('$: config cannot be null');
  });

  it('throws one line that names the first problem and counts the others', () => {
    const error = thrownBy('{"ociVersion":"1.0.0","process":{"cwd":"tmp","args":[]}}');
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toBe('ConfigError: $.process.args: args must not be empty (and 2 more)');
  });

  // biome-ignore format: a table
  const REFUSED: readonly (readonly [was: string, is: string, message: string])[] = [
    ['"uid": 1,',  '"uid": 4294967296,',            '$.process.user.uid: must be an integer from 0 to 4294967294'],
    ['"uid": 1,',  '"uid": 1e3,',                   '$.process.user.uid: must be an integer from 0 to 4294967294'],
    ['"uid": 1,',  '"uid": 1.0,',                   '$.process.user.uid: must be an integer from 0 to 4294967294'],
    ['"uid": 1,',  '"uid": "0",',                   '$.process.user.uid: must be an integer from 0 to 4294967294'],
    ['"uid": 1,',  '"uid": -0,',                    '$.process.user.uid: must be an integer from 0 to 4294967294'],
    ['"uid": 1,',  '"uid": 99999999999999999999999,', '$.process.user.uid: must be an integer from 0 to 4294967294'],
    ['"uid": 1,',  '"uid": 1, "uid": 1,',           '$.process.user.uid: is given twice'],
    ['"uid": 1,',  '"uid": 1, "\\u0075id": 1,',     '$.process.user.uid: is given twice'],
    ['"cwd": "/"', '"cwd": "/\\u0000etc"',          '$.process.cwd: must not contain a NUL byte'],
    ['"cwd": "/"', '"cwd": "/\\ud800"',             '$.process.cwd: must be valid Unicode'],
    ['"cwd": "/"', '"cwd": "/",',                   expect.stringMatching(/^\$: is not valid JSON: /)],
    ['"cwd": "/"', `"cwd": "/", "x": ${'['.repeat(20_000)}${']'.repeat(20_000)}`, '$: nests deeper than 64 levels'],
    ['"cwd": "/"', `"cwd": "/${'a'.repeat(CONFIG_BYTES_MAX)}"`, `$: is longer than ${CONFIG_BYTES_MAX} bytes`],
  ];

  for (const [was, is, message] of REFUSED) {
    it(`refuses ${is.slice(0, 50)}`, () => {
      expect(text).toContain(was);
      expect(thrownBy(text.replace(was, () => is))).toMatchObject({ name: 'ConfigError', message });
    });
  }

  it('takes a configuration as long as it may be', () => {
    const padded = text.padEnd(CONFIG_BYTES_MAX);
    expect(thrownBy(padded)).toBeUndefined();
    expect(thrownBy(`${padded} `)).toMatchObject({ message: `$: is longer than ${CONFIG_BYTES_MAX} bytes` });
  });

  it('throws nothing but ConfigError, whatever the bytes', () => {
    const isExpected = (input: string | Uint8Array): boolean => {
      const error = thrownBy(input);
      return error === undefined || error instanceof ConfigError;
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), isExpected));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), isExpected));
    fc.assert(fc.property(fc.json(), isExpected));
  });

  it('throws nothing but ConfigError when bytes of a configuration change', () => {
    const bytes = new TextEncoder().encode(text);
    const change = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const copy = bytes.slice();
        for (const [position, value] of changes) copy[position] = value;
        const error = thrownBy(copy);
        expect(error === undefined || error instanceof ConfigError).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('throws nothing but ConfigError when any value stands anywhere', () => {
    const everywhere = [...places(FULL_CONFIG)].map(([path]) => path);
    fc.assert(
      fc.property(fc.constantFrom(...everywhere), fc.jsonValue({ maxDepth: 3 }), (path, value) => {
        const error = thrownBy(formatConfig(edited(FULL_CONFIG, path, value) as Config));
        expect(error === undefined || error instanceof ConfigError).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

function formatSpecErrorOf(input: string): string {
  const error = thrownBy(input);
  const [first] = error instanceof ConfigError ? error.problems : [];
  return first === undefined ? '' : formatSpecError(first);
}

describe('requireProcess()', () => {
  it('gives the process, or says what runc says', () => {
    expect(requireProcess(FULL_CONFIG)).toBe(FULL_CONFIG.process);
    const { process: _process, ...rest } = FULL_CONFIG;
    expect(() => requireProcess(rest)).toThrow(
      new ConfigError([{ path: '$.process', rule: 'process property must not be empty' }]),
    );
  });
});
