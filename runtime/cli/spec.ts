import { statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultConfig, formatConfig, rootlessConfig } from '../../spec/default-config.ts';
import { isErrno } from '../../sys/errno.ts';
import { RuntimeError } from '../errors.ts';
import { defineCommand } from './command.ts';

const CONFIG_FILE = 'config.json';

/** CGROUP2_SUPER_MAGIC of linux/magic.h. */
const CGROUP2_SUPER_MAGIC = 0x63677270;

/** Only cgroup v2, as systemd's unified hierarchy; a machine without cgroups at all has not got it either. */
function isCgroupUnified(): boolean {
  try {
    return statfsSync('/sys/fs/cgroup').type === CGROUP2_SUPER_MAGIC;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

export const command = defineCommand({
  name: 'spec',
  summary: 'write a configuration to start from',
  description: `Writes ${CONFIG_FILE}, the configuration of a container that runs sh, for you to change.`,
  examples: [
    ['hull spec', `write ./${CONFIG_FILE}`],
    ['hull spec --rootless --bundle /tmp/bundle', 'for a container that needs no privileges'],
  ],
  operands: '',
  options: {
    bundle: {
      type: 'string',
      short: 'b',
      value: 'dir',
      help: 'write it to this directory (default: this one)',
    },
    rootless: { type: 'boolean', help: 'for a user without privileges' },
  },
  run(_operands, { bundle, rootless }) {
    const options = { cgroupNamespace: isCgroupUnified() };
    const ids = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0] as const;
    const config = rootless ? rootlessConfig(...ids, options) : defaultConfig(options);
    try {
      writeFileSync(join(bundle ?? '', CONFIG_FILE), formatConfig(config), { flag: 'wx' });
    } catch (cause) {
      if (!isErrno(cause, 'EEXIST')) throw cause;
      throw new RuntimeError('EXISTS', `File ${CONFIG_FILE} exists. Remove it first`);
    }
  },
});
