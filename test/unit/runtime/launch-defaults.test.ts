import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readLaunchDefaults } from '../../../runtime/launch-defaults.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'hull-defaults-'));
const file = path.join(directory, 'launch.yaml');
afterAll(() => rmSync(directory, { recursive: true }));

async function reading(content: string): Promise<unknown> {
  writeFileSync(file, content);
  try {
    return await readLaunchDefaults(file, true);
  } catch (error) {
    return (error as Error).message.replace(file, 'FILE');
  }
}

describe('readLaunchDefaults()', () => {
  it('reads what the command line could say', async () => {
    const text = 'network: host\nenv:\n  - TZ=UTC\nvolume: ["/srv:/srv:ro"]\nread-only: true\n';
    expect(await reading(text)).toEqual({
      network: 'host',
      env: ['TZ=UTC'],
      volume: ['/srv:/srv:ro'],
      'read-only': true,
    });
  });

  it('takes an empty file for no defaults', async () => {
    expect(await reading('')).toEqual({});
    expect(await reading('# nothing yet\n')).toEqual({});
  });

  it('minds a missing file only when it was named', async () => {
    const missing = path.join(directory, 'none.yaml');
    expect(await readLaunchDefaults(missing, false)).toEqual({});
    await expect(readLaunchDefaults(missing, true)).rejects.toThrow(/no such file/);
  });

  // biome-ignore format: a table
  const BAD: readonly [content: string, message: RegExp][] = [
    ['network: bridge\n',                    /^FILE: \$\.network: must be one of "none", "host", not "bridge"$/],
    ['env: TZ=UTC\n',                        /^FILE: \$\.env: must be an array$/],
    ['volumes: []\n',                        /^FILE: \$\.volumes: is not known: one of env, volume, /],
    ['- a\n',                                /^FILE: \$: must be an object/],
    ['env: [a\n',                            /^FILE: /],
    ['network: none\nnetwork: host\n',       /^FILE: Map keys must be unique/],
    ['env: &a [x=1]\nvolume: *a\n',          /^FILE: .*alias/i],
    [`user: ${'x'.repeat(70_000)}\n`,        /^FILE: not a regular file of at most 65536 bytes$/],
  ];
  for (const [content, message] of BAD) {
    it(`refuses ${JSON.stringify(content.slice(0, 40))}`, async () => {
      expect(await reading(content)).toMatch(message);
    });
  }
});
