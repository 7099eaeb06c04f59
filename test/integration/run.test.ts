import { describe, expect, it } from 'vitest';
import { until } from '../support/child.ts';
import { TestHost } from '../support/host.ts';
import { startSleeping } from '../support/running.ts';

describe('run', () => {
  for (const status of [0, 1, 7, 255]) {
    it(`exits with the process's status ${status}`, async () => {
      await using host = await TestHost.open();
      const bundle = host.bundle((config) => {
        config.process.args = ['/bin/probe', 'exit', `${status}`];
      });
      const outcome = await host.runtime.run(host.id(), bundle);
      expect(outcome).toMatchObject({ status, stdout: '', stderr: '' });
    });
  }

  it('exits with 128 and the number of the signal that killed the process', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/sh', '-c', 'echo up; while :; do sleep 1; done'];
    });
    const child = host.runtime.startRun(id, bundle);
    await until('the process to say something', () => child.stdout() !== '');
    expect(await host.runtime.kill(id, 'KILL')).toMatchObject({ status: 0, stderr: '' });
    expect((await child.finished).status).toBe(137);
  });

  it('gives the process its standard input until that ends', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/probe', 'cat'];
    });
    const text = 'a line\n'.repeat(20_000);
    const outcome = await host.runtime.run(host.id(), bundle, { stdin: text });
    expect(outcome.status).toBe(0);
    expect(outcome.stdout === text).toBe(true);
  });

  it('keeps standard output and standard error apart and loses nothing of either', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/probe', 'lines', '2000'];
    });
    const { status, stdout, stderr } = await host.runtime.run(host.id(), bundle);
    const numbers = [...Array(2000).keys()];
    expect(status).toBe(0);
    expect(stdout).toBe(numbers.map((number) => `out ${number}\n`).join(''));
    expect(stderr).toBe(numbers.map((number) => `err ${number}\n`).join(''));
  });

  it('finds the program by the PATH of the container', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.process.args = ['probe', 'exit', '3'];
      config.process.env = ['PATH=/nowhere:/bin'];
    });
    expect((await host.runtime.run(host.id(), bundle)).status).toBe(3);
  });

  it('takes the bundle from the current directory', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/probe', 'exit', '4'];
    });
    const argv = host.runtime.argv('run', [host.id()]);
    const here = argv.map((word) => (word === '--wdns=/' ? `--wdns=${bundle.directory}` : word));
    expect((await host.spawn(here, 'here').finished).status).toBe(4);
  });

  it('takes a relative bundle', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/probe', 'exit', '5'];
    });
    const relative = bundle.directory.slice(1);
    const outcome = await host.runtime.call('run', [host.id()], { flags: ['-b', relative] });
    expect(outcome.status).toBe(5);
  });

  it('leaves no state behind', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    await host.runtime.run(id, host.bundle());
    expect(await host.runtime.call('state', [id])).toMatchObject({ status: 1, stdout: '' });
  });

  it('keeps the state of the stopped container with --keep', async () => {
    await using host = await TestHost.open();
    const id = host.id();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/true'];
    });
    expect(await host.runtime.run(id, bundle, { flags: ['--keep'] })).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect((await host.runtime.state(id)).status).toBe('stopped');
    expect((await host.runtime.delete(id)).status).toBe(0);
  });

  it('refuses the name of a container that exists, and leaves that one alone', async () => {
    await using host = await TestHost.open();
    const id = await startSleeping(host);
    const outcome = await host.runtime.run(id, host.bundle());
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('container with given ID already exists');
    expect((await host.runtime.state(id)).status).toBe('running');
  });

  it('runs two containers from one bundle', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/probe', 'lines', '1'];
    });
    const outcomes = await Promise.all([
      host.runtime.run(host.id(), bundle),
      host.runtime.run(host.id(), bundle),
    ]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 0, stdout: 'out 0\n' });
  });

  it('reaps what the process leaves when it ends', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.process.args = ['/bin/sh', '-c', 'sleep 1000 & sleep 1000 & exit 6'];
    });
    expect((await host.runtime.run(host.id(), bundle)).status).toBe(6);
  });
});
