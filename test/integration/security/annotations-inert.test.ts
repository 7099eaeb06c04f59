/** CVE-2024-3154, CVE-2026-53488 and others: annotations that somebody obeys. Case C-06. */

import { existsSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { expectRuns, itResists, printToken, refuses } from '../../support/attack.ts';
import { reportOf } from '../../support/probe-report.ts';

/** `MARK` stands for a program of the host that leaves a mark. */
// biome-ignore format: a table
const OBEYED_ELSEWHERE: readonly [key: string, value: string][] = [
  ['org.systemd.property.ExecStopPost',                    "['MARK']"],
  ['org.systemd.property.ExecStartPre',                    "[('MARK', ['MARK'], false)]"],
  ['containerd.io/restart.loguri',                         'binary://MARK'],
  ['containerd.io/restart.status',                         'running'],
  ['cdi.k8s.io/device',                                    'vendor.com/class=MARK'],
  ['io.katacontainers.config.hypervisor.path',             'MARK'],
  ['io.katacontainers.config.hypervisor.virtio_fs_daemon', 'MARK'],
  ['io.katacontainers.config.hypervisor.kernel_params',    'init=MARK'],
  ['run.oci.hooks.stdout',                                 'MARK'],
  ['run.oci.seccomp_bpf_data',                             'BgAAAAAAAAA='],
  ['run.oci.seccomp.receiver',                             '/nonexistent.sock'],
  ['org.criu.config',                                      'MARK'],
  ['../../../MARK',                                        'x'],
  ['a\nb',                                                 'c\nd'],
];

describe('an annotation', () => {
  for (const [key, value] of OBEYED_ELSEWHERE) {
    itResists(`${JSON.stringify(key)} changes nothing`, {
      // crun loads the filter of this one, which kills the process.
      knownBad: key === 'run.oci.seccomp_bpf_data' ? ['crun 1.8.1'] : [],
      attack: async (host) => {
        const mark = host.path('mark');
        const program = host.path('program');
        writeFileSync(program, `#!/bin/sh\necho ran > ${mark}\n`, { mode: 0o755 });
        const annotations = { [key.replaceAll('MARK', program)]: value.replaceAll('MARK', program) };
        const plain = await reportOf(host);
        const annotated = await reportOf(host, (config) => {
          config.annotations = annotations;
        });
        expect(existsSync(mark)).toBe(false);
        expect(existsSync(program)).toBe(true);
        for (const part of ['devices', 'capabilities', 'seccompMode', 'env', 'rlimits'] as const) {
          expect(annotated[part], part).toEqual(plain[part]);
        }
        expect(annotated.descriptors.map(({ number }) => number)).toEqual([0, 1, 2]);
      },
    });
  }

  itResists('with an empty key is refused', {
    knownBad: ['runc 1.1.5', 'crun 1.8.1'],
    attack: refuses((config) => {
      config.annotations = { '': 'value' };
    }, /annotation/),
  });

  itResists('may be as many as 5,000', {
    attack: async (host) => {
      const bundle = host.bundle((config) => {
        printToken(config);
        config.annotations = Object.fromEntries(
          [...Array(5000).keys()].map((number) => [`key-${number}`, 'x'.repeat(100)]),
        );
      });
      await expectRuns(host, bundle);
    },
  });
});
