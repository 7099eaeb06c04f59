import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { itExcept } from '../support/claim.ts';
import { TestHost } from '../support/host.ts';
import { reportOf } from '../support/probe-report.ts';

const CAP_SYS_RESOURCE = 24n;

function mayRaiseLimits(): boolean {
  const [, effective = '0'] =
    /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return ((BigInt(`0x${effective}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

describe('process', () => {
  it('gets exactly the arguments of the configuration', async () => {
    await using host = await TestHost.open();
    const args = ['/bin/probe', 'report', '', 'two words', '$HOME', '*', '"', '\\', '\u00fc', 'a\nb'];
    const { argv } = await reportOf(host, (config) => {
      config.process.args = args;
    });
    expect(argv).toEqual(args.map((word) => Buffer.from(word).toString('latin1')));
  });

  it("gets the environment of the configuration, and HOME by the user's entry in passwd", async () => {
    await using host = await TestHost.open();
    const { env } = await reportOf(host, (config) => {
      config.process.env = ['PATH=/bin', 'EMPTY=', 'EQUALS=a=b'];
    });
    expect(env).toEqual(['PATH=/bin', 'EMPTY=', 'EQUALS=a=b', 'HOME=/root']);
  });

  it('gets the last value of a variable that is given twice, once', async () => {
    await using host = await TestHost.open();
    const { env } = await reportOf(host, (config) => {
      config.process.env = ['PATH=/bin', 'A=first', 'HOME=/', 'A=last'];
    });
    expect(env.toSorted()).toEqual(['A=last', 'HOME=/', 'PATH=/bin']);
  });

  it('keeps a HOME that the configuration gives', async () => {
    await using host = await TestHost.open();
    const { env } = await reportOf(host, (config) => {
      config.process.env = ['HOME=/elsewhere'];
    });
    expect(env).toEqual(['HOME=/elsewhere']);
  });

  it('starts in a directory that is made if it is missing', async () => {
    await using host = await TestHost.open();
    const { cwd } = await reportOf(host, (config) => {
      config.process.cwd = '/tmp/made/for/this';
      config.root.readonly = false;
    });
    expect(cwd).toBe('/tmp/made/for/this');
  });

  it('has exactly the ids and groups of the configuration', async () => {
    await using host = await TestHost.open();
    const report = await reportOf(host, (config) => {
      config.process.user = { uid: 1000, gid: 2000, additionalGids: [5, 2000000000] };
    });
    expect(report.uids).toEqual({ real: 1000, effective: 1000, saved: 1000, filesystem: 1000 });
    expect(report.gids).toEqual({ real: 2000, effective: 2000, saved: 2000, filesystem: 2000 });
    expect([...report.groups].sort((a, b) => a - b)).toEqual([5, 2000000000]);
  });

  it('has the umask of the configuration, and 0022 without one', async () => {
    await using host = await TestHost.open();
    expect((await reportOf(host)).umask).toBe(0o22);
    const report = await reportOf(host, (config) => {
      config.process.user.umask = 0o77;
    });
    expect(report.umask).toBe(0o77);
  });

  it('has the capability sets of the configuration', async () => {
    await using host = await TestHost.open();
    const { capabilities } = await reportOf(host, (config) => {
      config.process.capabilities = {
        bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_SYS_ADMIN'],
        permitted: ['CAP_KILL', 'CAP_CHOWN'],
        effective: ['CAP_KILL'],
        inheritable: ['CAP_KILL'],
        ambient: ['CAP_KILL'],
      };
      config.process.user = { uid: 1000, gid: 1000 };
    });
    // What execve(2) makes of those sets for a program without file capabilities.
    expect(capabilities).toEqual({
      bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_SYS_ADMIN'],
      permitted: ['CAP_KILL'],
      effective: ['CAP_KILL'],
      inheritable: ['CAP_KILL'],
      ambient: ['CAP_KILL'],
    });
  });

  it('has no capability where the configuration gives none', async () => {
    await using host = await TestHost.open();
    const { capabilities } = await reportOf(host, (config) => {
      config.process.capabilities = {};
    });
    expect(capabilities).toEqual({
      bounding: [],
      permitted: [],
      effective: [],
      inheritable: [],
      ambient: [],
    });
  });

  it('has no_new_privs as the configuration says', async () => {
    await using host = await TestHost.open();
    for (const noNewPrivileges of [true, false]) {
      const report = await reportOf(host, (config) => {
        config.process.noNewPrivileges = noNewPrivileges;
      });
      expect(report.noNewPrivileges).toBe(noNewPrivileges);
    }
  });

  it("has the resource limits of the configuration and the caller's others", async () => {
    await using host = await TestHost.open();
    const { rlimits } = await reportOf(host, (config) => {
      config.process.rlimits = [
        { type: 'RLIMIT_NOFILE', soft: 100, hard: 200 },
        { type: 'RLIMIT_CORE', soft: 0, hard: 4096 },
        { type: 'RLIMIT_NPROC', soft: 5000, hard: 5000 },
      ];
    });
    expect(rlimits.RLIMIT_NOFILE).toEqual({ soft: '100', hard: '200' });
    expect(rlimits.RLIMIT_CORE).toEqual({ soft: '0', hard: '4096' });
    expect(rlimits.RLIMIT_NPROC).toEqual({ soft: '5000', hard: '5000' });
    expect(rlimits.RLIMIT_STACK?.hard).toBe('unlimited');
  });

  // runc before 1.2 sets limits without the runtime's own rights.
  itExcept('runc 1.1.5')('can have a higher limit than the runtime', async ({ skip }) => {
    skip(!mayRaiseLimits(), 'needs CAP_SYS_RESOURCE');
    await using host = await TestHost.open();
    const { rlimits } = await reportOf(
      host,
      (config) => {
        config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 9000, hard: 9001 }];
      },
      { under: ['prlimit', '--nofile=500:600'] },
    );
    expect(rlimits.RLIMIT_NOFILE).toEqual({ soft: '9000', hard: '9001' });
  });

  it('starts with every signal at its default, none blocked', async () => {
    await using host = await TestHost.open();
    const { signals } = await reportOf(host);
    expect(signals).toEqual({ blocked: [], ignored: [], caught: [], pending: [], parentDeath: 0 });
  });

  it('is the leader of a session of its own, as PID 1', async () => {
    await using host = await TestHost.open();
    const report = await reportOf(host);
    expect(report).toMatchObject({ pid: 1, ppid: 0, session: 1, processGroup: 1 });
  });

  it('has no descriptor but the three, however many the caller has', async () => {
    await using host = await TestHost.open();
    const { descriptors } = await reportOf(host);
    expect(descriptors.map(({ number }) => number)).toEqual([0, 1, 2]);
  });

  it('has the oom_score_adj of the configuration', async () => {
    await using host = await TestHost.open();
    const { oomScoreAdj } = await reportOf(host, (config) => {
      config.process.oomScoreAdj = 321;
    });
    expect(oomScoreAdj).toBe(321);
  });

  it("keeps the caller's oom_score_adj where the configuration has none", async () => {
    await using host = await TestHost.open();
    const { oomScoreAdj } = await reportOf(host, () => {}, { under: ['choom', '-n', '123', '--'] });
    expect(oomScoreAdj).toBe(123);
  });

  // runc before 1.2 hands its own affinity on.
  itExcept('runc 1.1.5')('may run on every processor, wherever the caller may', async () => {
    await using host = await TestHost.open();
    const everywhere = (await reportOf(host)).affinity;
    expect((await reportOf(host, () => {}, { under: ['taskset', '-c', '0'] })).affinity).toEqual(everywhere);
  });

  // Came with runc 1.2, as do personality and domainname.
  itExcept('runc 1.1.5')('has the scheduler and I/O priority of the configuration', async () => {
    await using host = await TestHost.open();
    const report = await reportOf(host, (config) => {
      config.process.scheduler = { policy: 'SCHED_BATCH', nice: 7 };
      config.process.ioPriority = { class: 'IOPRIO_CLASS_BE', priority: 6 };
    });
    expect(report.scheduler).toMatchObject({ policy: 3, nice: 7 });
    expect(report.ioPriority).toBe((2 << 13) | 6);
  });

  itExcept('runc 1.1.5')('has the personality of the configuration', async () => {
    await using host = await TestHost.open();
    const { personality } = await reportOf(host, (config) => {
      config.linux.personality = { domain: 'LINUX32' };
    });
    expect(personality).toBe(8); // PER_LINUX32
  });

  it('sees a host name and no domain name', async () => {
    await using host = await TestHost.open();
    const report = await reportOf(host, (config) => {
      config.hostname = 'a-name.example';
    });
    expect(report).toMatchObject({ hostname: 'a-name.example', domainname: '(none)' });
  });

  itExcept('runc 1.1.5')('sees the domain name of the configuration', async () => {
    await using host = await TestHost.open();
    const report = await reportOf(host, (config) => {
      config.domainname = 'example.org';
    });
    expect(report.domainname).toBe('example.org');
  });

  it('has a session keyring of its own', async () => {
    await using host = await TestHost.open();
    const first = await reportOf(host);
    expect(first.sessionKeyring).toMatch(/^keyring;0;0;[0-9a-f]+;/);
    const second = await reportOf(host);
    expect(second.sessionKeyringId).not.toBe(first.sessionKeyringId);
    const kept = await reportOf(host, () => {}, { flags: ['--no-new-keyring'] });
    const keptAgain = await reportOf(host, () => {}, { flags: ['--no-new-keyring'] });
    expect(kept.sessionKeyringId).not.toBe(second.sessionKeyringId);
    expect(keptAgain.sessionKeyringId).toBe(kept.sessionKeyringId);
  });
});
