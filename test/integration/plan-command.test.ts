import { chmodSync, existsSync, rmSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../runtime/plan.ts';
import type { Bundle } from '../support/bundle.ts';
import { terminal } from '../support/compile.ts';
import type { Config } from '../support/config.ts';
import { TestHost } from '../support/host.ts';
import { readTrace, straceTo, type TracedCall } from '../support/strace.ts';

/** Calls with which a process could change something outside itself. Files for reading and threads are none. */
const CHANGES =
  /^(mkdir|mknod|symlink|link|rename|unlink|rmdir|chmod|fchmod|chown|fchown|mount|umount|open_tree|move_mount|fsopen|fsmount|mount_setattr|pivot_root|setns|unshare|bpf|memfd_create|execve|fork|vfork|kill|socketpair|setxattr|truncate|ftruncate|flock)/;

describe('plan', () => {
  it('changes nothing', async () => {
    await using host = await TestHost.open('hull');
    const bundle = host.bundle();
    const file = host.path('trace');
    const planned = await host.runtime.call('plan', [bundle.directory], { under: straceTo(file) });
    expect(planned.status).toBe(0);
    expect(existsSync(host.runtime.root)).toBe(false);
    const calls = await readTrace(host.scratch, file);
    const node = calls.findLastIndex(({ name }) => name === 'execve');
    const changes = calls.slice(node + 1).filter(isChange);
    expect(changes.map(({ name, arguments: given }) => `${name}(${given.join(', ')})`)).toEqual([]);
  });

  const MISTAKES: readonly [name: string, spoil: (bundle: Bundle) => void][] = [
    ['without a config.json', ({ configPath }) => rmSync(configPath)],
    ['with a config.json that is no JSON', (bundle) => bundle.writeConfig('{')],
    ['without a root file system', ({ rootfs }) => rmSync(rootfs, { recursive: true })],
    ['with a mount over the root', (bundle) => bundle.configure(mountOver('/'))],
    ['with a mount over /proc', (bundle) => bundle.configure(mountOver('/proc'))],
    ['with a cgroup outside the hierarchy', (bundle) => bundle.configure(leaveCgroups)],
  ];
  for (const [name, spoil] of MISTAKES) {
    it(`fails as create does for a bundle ${name}`, async () => {
      await using host = await TestHost.open('hull');
      const bundle = host.bundle();
      spoil(bundle);
      const { status, stderr } = await host.runtime.create(host.id(), bundle);
      expect(status).toBe(1);
      expect(await host.runtime.call('plan', [bundle.directory])).toMatchObject({
        status,
        stderr,
        stdout: '',
      });
    });
  }

  it('refuses a state directory that create would refuse', async () => {
    await using host = await TestHost.open('hull');
    host.directory('state', 0o777);
    chmodSync(host.runtime.root, 0o777);
    const { status, stderr } = await host.runtime.call('plan', [host.bundle().directory]);
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('cannot use the state'),
    });
  });

  it('takes the bundle as an operand, as an option, or from the current directory', async () => {
    await using host = await TestHost.open('hull');
    const { directory } = host.bundle();
    const asOperand = await host.runtime.call('plan', [directory]);
    expect(asOperand.stdout).toContain(`# plan for "${directory}"`);
    expect(await host.runtime.call('plan', [], { flags: ['-b', directory] })).toMatchObject({
      stdout: asOperand.stdout,
    });
    const twice = await host.runtime.call('plan', [directory], { flags: ['-b', directory] });
    expect(twice).toMatchObject({ status: 1, stderr: expect.stringContaining('given twice') });
  });

  it('prints a line for each step, plain where nobody looks at a terminal', async () => {
    await using host = await TestHost.open('hull');
    const bundle = host.bundle();
    const json = await host.runtime.call('plan', [bundle.directory], { flags: ['--json'] });
    const { version, steps } = JSON.parse(json.stdout) as Plan;
    expect(version).toBe(1);
    const { stdout } = await host.runtime.call('plan', [bundle.directory]);
    const lines = stdout.split('\n').filter((line) => /^ *\d/.test(line));
    expect(lines.map((line) => line.trim().split(/ +/, 2))).toEqual(
      steps.map((s) => [String(s.number), s.who]),
    );
    expect(stdout).not.toContain('\x1b');
  });

  it('fits a terminal, in colour unless NO_COLOR says otherwise', async () => {
    await using host = await TestHost.open('hull');
    const argv = host.runtime.argv('plan', [host.bundle().directory]);
    const show = async (name: string, ...before: string[]): Promise<string> => {
      const child = host.spawn([terminal(), 'run', '40', '90', '--', ...before, ...argv], name);
      return (await child.finished).stdout.replaceAll('\r\n', '\n');
    };
    const colored = await show('colored');
    expect(colored).toContain('\x1b[36mhost');
    const plain = await show('plain', 'env', 'NO_COLOR=1');
    expect(stripVTControlCharacters(colored)).toBe(plain);
    expect(Math.max(...plain.split('\n').map((line) => line.length))).toBe(90);
  });
});

const mountOver = (destination: string) => (config: Config) => {
  config.mounts.push({ destination, type: 'tmpfs', source: 'tmpfs' });
};

function leaveCgroups(config: Config): void {
  config.linux.cgroupsPath = '/a/../../b';
}

function isChange({ name, arguments: given }: TracedCall): boolean {
  if (CHANGES.test(name)) return true;
  if (/^clone/.test(name)) return !given.join().includes('CLONE_THREAD');
  return (
    /^open/.test(name) && /O_(WRONLY|RDWR|CREAT)/.test(given.join()) && !given.join().includes('/dev/null')
  );
}
