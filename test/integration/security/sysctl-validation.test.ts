/** CVE-2022-0811: kernel settings of the host through linux.sysctl. Case C-04. Every value is the current one. */

import { readFileSync } from 'node:fs';
import { describe } from 'vitest';
import { controlWith, itResists, refuses } from '../../support/attack.ts';
import { addNamespace, type Config, shareNamespace } from '../../support/config.ts';

const current = (name: string): string => readFileSync(`/proc/sys/${name}`, 'utf8').trim();

// biome-ignore format: a table
const OF_THE_HOST: readonly [key: string, file: string][] = [
  ['kernel.core_pattern',                    'kernel/core_pattern'],
  ['kernel/core_pattern',                    'kernel/core_pattern'],
  ['kernel..core_pattern',                   'kernel/core_pattern'],
  ['net/../kernel/core_pattern',             'kernel/core_pattern'],
  ['net.ipv4/../../kernel/core_pattern',     'kernel/core_pattern'],
  ['fs.mqueue.../../kernel/core_pattern',    'kernel/core_pattern'],
  ['fs/mqueue/../../kernel/core_pattern',    'kernel/core_pattern'],
  ['kernel.shmmax/../core_pattern',          'kernel/core_pattern'],
  ['vm.swappiness',                          'vm/swappiness'],
  ['vm.overcommit_memory',                   'vm/overcommit_memory'],
  ['kernel.panic',                           'kernel/panic'],
  ['kernel.pid_max',                         'kernel/pid_max'],
  ['fs.file-max',                            'fs/file-max'],
  ['fs.suid_dumpable',                       'fs/suid_dumpable'],
  ['/kernel/core_pattern',                   'kernel/core_pattern'],
  ['',                                       'kernel/core_pattern'],
];

const setForwarding = (config: Config): void => {
  config.linux.sysctl = { 'net.ipv4.ip_forward': current('net/ipv4/ip_forward') };
};

const control = controlWith(setForwarding);

describe('a sysctl', () => {
  for (const [key, file] of OF_THE_HOST) {
    const change = (config: Config): void => {
      config.linux.sysctl = { [key]: current(file) };
    };
    itResists(`of the whole host, ${JSON.stringify(key)}, is refused`, {
      control,
      attack: refuses(change, /sysctl|no such file/i),
    });
  }

  itResists('of the network is refused without a network namespace', {
    control,
    attack: refuses((config) => {
      shareNamespace(config, 'network');
      setForwarding(config);
    }, /sysctl|net\.ipv4\.ip_forward/),
  });

  itResists("of the network is refused when the network namespace is the host's by path", {
    knownBad: ['crun 1.8.1'],
    control,
    attack: refuses((config) => {
      addNamespace(config, { type: 'network', path: `/proc/${process.pid}/ns/net` });
      setForwarding(config);
    }, /sysctl|net\.ipv4\.ip_forward|namespace/),
  });

  itResists('of System V IPC is refused without an ipc namespace', {
    control: controlWith((config) => {
      config.linux.sysctl = { 'kernel.msgmax': current('kernel/msgmax') };
    }),
    attack: refuses((config) => {
      shareNamespace(config, 'ipc');
      config.linux.sysctl = { 'kernel.msgmax': current('kernel/msgmax') };
    }, /sysctl|kernel\.msgmax/),
  });

  itResists('of the domain name is refused without a uts namespace', {
    control: controlWith((config) => {
      config.linux.sysctl = { 'kernel.domainname': current('kernel/domainname') };
    }),
    attack: refuses((config) => {
      shareNamespace(config, 'uts');
      delete config.hostname;
      config.linux.sysctl = { 'kernel.domainname': current('kernel/domainname') };
    }, /sysctl|kernel\.domainname/),
  });
});
