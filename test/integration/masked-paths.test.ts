import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MASKED_PATHS, READONLY_PATHS } from '../support/config.ts';
import { TestHost } from '../support/host.ts';
import { mountAt, reportOf, reportOfBundle } from '../support/probe-report.ts';

describe('maskedPaths', () => {
  it('hide files behind /dev/null and directories behind an empty tmpfs', async () => {
    await using host = await TestHost.open();
    const { paths } = await reportOf(host);
    for (const name of MASKED_PATHS) {
      const masked = paths[name];
      if (masked?.type === 'ENOENT') continue;
      if (masked?.type === 'directory') expect(masked, name).toMatchObject({ entries: 0, write: 'EROFS' });
      else expect(masked, name).toMatchObject({ type: 'character', device: '1:3', empty: true });
    }
    expect(new Set(MASKED_PATHS.map((name) => paths[name]?.type))).toContain('character');
    expect(new Set(MASKED_PATHS.map((name) => paths[name]?.type))).toContain('directory');
  });

  it('hide only what is listed', async () => {
    await using host = await TestHost.open();
    const { paths } = await reportOf(host, (config) => {
      config.linux.maskedPaths = [];
    });
    expect(paths['/proc/keys']).toMatchObject({ type: 'file', read: 'ok' });
    expect(paths['/sys/firmware']?.entries).not.toBe(0);
  });

  it("apply to the image's own files, and ignore what is not there", async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.linux.maskedPaths = ['/secret', '/etc', '/missing/path'];
      config.process.args = ['/bin/probe', 'report', 'path=/secret', 'path=/etc'];
      config.root.readonly = false;
    });
    writeFileSync(bundle.inside('secret'), 'secret\n');
    const { paths } = await reportOfBundle(host, bundle);
    expect(paths['/secret']).toMatchObject({ type: 'character', empty: true });
    expect(paths['/etc']).toMatchObject({ type: 'directory', entries: 0, write: 'EROFS' });
  });
});

describe('readonlyPaths', () => {
  it('cannot be written, but can be read', async () => {
    await using host = await TestHost.open();
    const report = await reportOf(host);
    const { paths } = report;
    for (const name of READONLY_PATHS) {
      if (paths[name]?.type === 'ENOENT') continue;
      expect(mountAt(report, name).options, name).toContain('ro');
      expect(paths[name]?.write, name).not.toBe('ok');
    }
    expect(paths['/proc/sys/kernel/core_pattern']).toMatchObject({ read: 'ok', write: 'EROFS' });
  });

  it('are only those that are listed', async () => {
    await using host = await TestHost.open();
    const { paths } = await reportOf(host, (config) => {
      config.linux.readonlyPaths = [];
    });
    expect(paths['/proc/sys/kernel/core_pattern']?.write).toBe('ok');
  });

  it('keep the flags that a mount below them has', async () => {
    await using host = await TestHost.open();
    const report = await reportOf(host, (config) => {
      config.mounts.push({
        destination: '/tmp',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'nodev', 'noexec'],
      });
      config.linux.readonlyPaths = ['/tmp'];
    });
    const mount = report.mounts.findLast(({ destination }) => destination === '/tmp');
    expect(mount?.options).toEqual(expect.arrayContaining(['ro', 'nosuid', 'nodev', 'noexec']));
  });
});
