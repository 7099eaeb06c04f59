import { closeSync, openSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TestHost } from '../support/host.ts';
import { startSleeping } from '../support/running.ts';

/** Opens `count` files of the scratch directory for the runtime to inherit as 3, 4, …; closes them at the end. */
function openFiles(host: TestHost, count: number): { fds: number[]; paths: string[] } & Disposable {
  const paths = [...Array(count).keys()].map((number) => host.path(`passed-${number}`));
  const fds = paths.map((file) => openSync(file, 'w'));
  return { fds, paths, [Symbol.dispose]: () => fds.forEach(closeSync) };
}

describe('--preserve-fds', () => {
  it('passes that many descriptors from 3 on, and no other', async () => {
    await using host = await TestHost.open();
    using files = openFiles(host, 4);
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/probe', 'fds'];
    });
    const { status, stdout } = await host.runtime.run(host.id(), bundle, {
      flags: ['--preserve-fds', '2'],
      fds: files.fds,
    });
    expect(status).toBe(0);
    const { descriptors } = JSON.parse(stdout) as { descriptors: { number: number }[] };
    expect(descriptors.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4]);
  });

  it('passes the descriptors themselves, in order', async () => {
    await using host = await TestHost.open();
    using files = openFiles(host, 2);
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/sh', '-c', '/bin/probe fd-write 3 third; /bin/probe fd-write 4 fourth'];
    });
    const outcome = await host.runtime.run(host.id(), bundle, {
      flags: ['--preserve-fds', '2'],
      fds: files.fds,
    });
    expect(outcome.status).toBe(0);
    expect(files.paths.map((file) => readFileSync(file, 'utf8'))).toEqual(['third', 'fourth']);
  });

  it('passes them to a process of exec', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    using files = openFiles(host, 1);
    const outcome = await host.runtime.exec(id, ['/bin/probe', 'fd-write', '3', 'by exec'], {
      flags: ['--preserve-fds', '1'],
      fds: files.fds,
    });
    expect(outcome.status).toBe(0);
    expect(files.paths.map((file) => readFileSync(file, 'utf8'))).toEqual(['by exec']);
  });

  it('refuses to pass one that is not open, with nothing left', async () => {
    await using host = await TestHost.open();
    using files = openFiles(host, 1);
    const outcome = await host.runtime.run(host.id(), host.bundle(), {
      flags: ['--preserve-fds', '60'],
      fds: files.fds,
    });
    expect(outcome.status).toBe(1);
    expect(await host.differences()).toEqual([]);
  });
});

describe('socket activation', () => {
  /** LISTEN_PID has to be the runtime's own pid, which only a shell that becomes the runtime knows. */
  const activate = (pid: string): string[] => [
    'sh',
    '-c',
    `export LISTEN_FDS=1 LISTEN_PID=${pid}; exec "$0" "$@"`,
  ];

  it('passes LISTEN_FDS descriptors, and tells the process so', async () => {
    await using host = await TestHost.open();
    using files = openFiles(host, 1);
    const bundle = host.bundle((config) => {
      config.process.args = [
        '/bin/sh',
        '-c',
        'echo "$LISTEN_FDS $LISTEN_PID"; /bin/probe fd-write 3 activated',
      ];
    });
    const outcome = await host.runtime.run(host.id(), bundle, { under: activate('$$'), fds: files.fds });
    expect(outcome).toMatchObject({ status: 0, stdout: '1 1\n' });
    expect(files.paths.map((file) => readFileSync(file, 'utf8'))).toEqual(['activated']);
  });
});
