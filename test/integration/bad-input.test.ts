import { chmodSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Bundle } from '../support/bundle.ts';
import { itExcept } from '../support/claim.ts';
import type { Config } from '../support/config.ts';
import { TestHost } from '../support/host.ts';
import { errorText } from '../support/runtime.ts';
import { commandAt, listedSteps, listSteps, NEVER_FIRED } from '../support/steps.ts';

interface BadInput {
  readonly what: string;
  /** Makes a good bundle bad. */
  readonly spoil: (bundle: Bundle, host: TestHost) => void;
  readonly text: RegExp;
  readonly knownBad?: readonly string[];
}

const change = (mutate: (config: Config) => void) => (bundle: Bundle) => bundle.configure(mutate);

// runc before 1.2 panics at null, and takes the last of two limits.
// biome-ignore format: a table
const BAD_INPUTS: readonly BadInput[] = [
  { what: 'no config.json', spoil: (bundle) => unlinkSync(bundle.configPath), text: /JSON specification file config\.json not found/ },
  { what: 'an empty config.json', spoil: (bundle) => bundle.writeConfig(''), text: /EOF|JSON/ },
  { what: 'a config.json that is cut off', spoil: (bundle) => bundle.writeConfig('{"ociVersion": "1.0.2", "process": {'), text: /EOF|JSON/ },
  { what: 'a config.json that is not JSON', spoil: (bundle) => bundle.writeConfig('ociVersion: 1.0.2\n'), text: /invalid character|JSON/ },
  { what: 'a config.json that is null', spoil: (bundle) => bundle.writeConfig('null'), text: /./, knownBad: ['runc 1.1.5'] },
  { what: 'a config.json that is a list', spoil: (bundle) => bundle.writeConfig('[]'), text: /./ },
  { what: 'a string where a number belongs', spoil: change((config) => Object.assign(config.process.user, { uid: 'root' })), text: /uid/ },
  { what: 'a number where a string belongs', spoil: change((config) => Object.assign(config, { hostname: 5 })), text: /hostname/ },
  { what: 'no arguments', spoil: change((config) => { config.process.args = []; }), text: /args must not be empty/ },
  { what: 'no current directory', spoil: change((config) => { config.process.cwd = ''; }), text: /Cwd property must not be empty/ },
  { what: 'a relative current directory', spoil: change((config) => { config.process.cwd = 'tmp'; }), text: /(Cwd|cwd:) must be an absolute path/ },
  { what: 'no process', spoil: change((config) => { Reflect.deleteProperty(config, 'process'); }), text: /process property must not be empty/ },
  { what: 'a root that is not there', spoil: change((config) => { config.root.path = 'nowhere'; }), text: /nowhere/ },
  { what: 'a root that is a file', spoil: (bundle) => { rmSync(bundle.rootfs, { recursive: true }); writeFileSync(bundle.rootfs, ''); }, text: /not a directory/ },
  { what: 'a program that is not there', spoil: change((config) => { config.process.args = ['nosuch']; }), text: /exec: "nosuch": executable file not found in \$PATH/ },
  { what: 'a program path that is not there', spoil: change((config) => { config.process.args = ['/bin/nosuch']; }), text: /\/bin\/nosuch.*no such file or directory/ },
  { what: 'a program that is a directory', spoil: change((config) => { config.process.args = ['/bin']; }), text: /\/bin.*(permission denied|is a directory)/ },
  { what: 'a program that may not be executed', spoil: change((config) => { config.process.args = ['/etc/passwd']; }), text: /\/etc\/passwd.*permission denied/ },
  { what: 'a program that is no program', spoil: (bundle) => { writeFileSync(bundle.inside('bin/junk'), 'junk', { mode: 0o755 }); bundle.configure((config) => { config.process.args = ['/bin/junk']; }); }, text: /exec format error/ },
  { what: 'a bind whose source is not there', spoil: change((config) => { config.mounts.push({ destination: '/tmp', type: 'bind', source: '/nonexistent/source', options: ['bind'] }); }), text: /\/nonexistent\/source.*no such file or directory|no such file or directory.*\/nonexistent\/source/ },
  { what: 'a filesystem that the kernel does not have', spoil: change((config) => { config.mounts.push({ destination: '/tmp', type: 'nosuchfs', source: 'none' }); }), text: /nosuchfs|no such device/ },
  { what: 'a limit that there is not', spoil: change((config) => { config.process.rlimits = [{ type: 'RLIMIT_NOSUCH', soft: 1, hard: 1 }]; }), text: /RLIMIT_NOSUCH|rlimits\[0\]\.type/ },
  { what: 'a limit whose soft value is above the hard one', spoil: change((config) => { config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 2, hard: 1 }]; }), text: /./ },
  { what: 'a limit that is given twice', spoil: change((config) => { const limit = { type: 'RLIMIT_NOFILE', soft: 500, hard: 500 }; config.process.rlimits = [limit, limit]; }), text: /RLIMIT_NOFILE|rlimits/, knownBad: ['runc 1.1.5'] },
  { what: 'a device of a type that there is not', spoil: change((config) => { config.linux.devices = [{ type: 'x', path: '/dev/x', major: 1, minor: 3 }]; }), text: /./ },
  { what: 'a propagation that there is not', spoil: change((config) => { config.linux.rootfsPropagation = 'upwards'; }), text: /upwards|rootfsPropagation/ },
];

describe('bad input', () => {
  for (const { what, spoil, text, knownBad = [] } of BAD_INPUTS) {
    itExcept(...knownBad)(`${what} is refused, with nothing left`, async () => {
      await using host = await TestHost.open();
      const bundle = host.bundle();
      const good = await host.runtime.run(host.id(), bundle);
      expect(good.status, `the bundle before it is spoilt: ${good.stderr}`).toBe(0);
      spoil(bundle, host);
      const outcome = await host.runtime.run(host.id(), bundle);
      expect(outcome.status).toBe(1);
      expect(errorText(outcome)).toMatch(text);
      expect(await host.differences()).toEqual([]);
    });
  }

  // hull clones the root before it becomes that user, so such a root serves as any other.
  itExcept('hull 0.1.0')('a root that its own user cannot enter is refused, with nothing left', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.linux.namespaces.push({ type: 'user' });
      config.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }];
      config.linux.gidMappings = config.linux.uidMappings;
    });
    chmodSync(bundle.directory, 0o700);
    const outcome = await host.runtime.run(host.id(), bundle);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('permission denied');
    expect(await host.differences()).toEqual([]);
  });

  it('a mount over a link that leaves the root lands inside, or is refused', async () => {
    await using host = await TestHost.open();
    const bundle = host.bundle((config) => {
      config.mounts.push({ destination: '/leave/here', type: 'tmpfs', source: 'tmpfs' });
      config.process.args = [
        '/bin/sh',
        '-c',
        'grep -c " /leave/here \\| .*/outside/here " /proc/self/mountinfo',
      ];
    });
    symlinkSync(host.canary, bundle.inside('leave'));
    await host.runtime.run(host.id(), bundle);
    expect(await host.differences()).toEqual([]);
  });
});

describe('a runtime that is killed', () => {
  const POINTS = 10;

  // runc before 1.2 forgets what it made before it wrote its state.
  itExcept('runc 1.1.5')(
    `at any of ${POINTS} points of create leaves what delete --force removes`,
    async () => {
      await using host = await TestHost.open();
      const steps = await stepsOfCreate(host);
      const first = steps.findIndex((call) => /^mkdir/.test(call) && call.includes(host.runtime.root));
      const last = steps.length - 1;
      for (let point = 0; point < POINTS; point++) {
        const number = first + 1 + Math.floor(((last - first) * point) / POINTS);
        const id = host.id();
        const under = commandAt({ match: '.', number }, 'kill -KILL $STEP_PROGRAM');
        const outcome = await host.runtime.create(id, host.bundle(), { under });
        expect(outcome.status, `point ${point}`).not.toBe(NEVER_FIRED);
        await host.runtime.delete(id, { flags: ['--force'] });
        expect(await host.differences(), `killed before "${steps[number - 1]}"`).toEqual([]);
      }
    },
  );

  async function stepsOfCreate(host: TestHost): Promise<string[]> {
    const id = host.id();
    const outcome = await host.runtime.create(id, host.bundle(), { under: listSteps() });
    expect(outcome.status).toBe(0);
    await host.runtime.delete(id, { flags: ['--force'] });
    return listedSteps(outcome.stderr);
  }
});
