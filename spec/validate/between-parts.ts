/** What must hold between the parts of a configuration: above all, a setting needs the namespace that contains it. */

import type { Namespace, NamespaceType } from '../config/linux.ts';
import type { Config } from '../config.ts';
import { memberPath, quote, type Report } from '../spec-error.ts';
import { canonicalSysctl, findSysctl } from '../sysctl.ts';
import { isMapped } from './id-mappings.ts';

export interface ConfigRule {
  /** The rule runs when nothing is wrong with these. */
  readonly reads: readonly string[];
  readonly apply: (config: Config, report: Report) => void;
}

function findNamespace(config: Config, type: NamespaceType): Namespace | undefined {
  return config.linux?.namespaces?.find((namespace) => namespace.type === type);
}

interface NamespaceNeed {
  readonly path: string;
  readonly asks: (config: Config) => boolean;
  readonly type: NamespaceType;
  readonly rule: string;
}

function hasEntries(value: object | undefined): boolean {
  return value !== undefined && Object.keys(value).length > 0;
}

/** The texts are runc's (libcontainer/configs/validate). */
const MAPPINGS_WITHOUT_NAMESPACE =
  "user namespace mappings specified, but user namespace isn't enabled in the config";
const RESTRICTED_WITHOUT_NAMESPACE = 'unable to restrict sys entries without a private MNT namespace';

// biome-ignore format: a table
const NAMESPACE_NEEDS: readonly NamespaceNeed[] = [
  { path: '$.hostname',            type: 'uts',     asks: (c) => (c.hostname ?? '') !== '',           rule: 'unable to set hostname without a private UTS namespace' },
  { path: '$.domainname',          type: 'uts',     asks: (c) => (c.domainname ?? '') !== '',        rule: 'unable to set domainname without a private UTS namespace' },
  { path: '$.linux.uidMappings',   type: 'user',    asks: (c) => hasEntries(c.linux?.uidMappings),      rule: MAPPINGS_WITHOUT_NAMESPACE },
  { path: '$.linux.gidMappings',   type: 'user',    asks: (c) => hasEntries(c.linux?.gidMappings),      rule: MAPPINGS_WITHOUT_NAMESPACE },
  { path: '$.linux.timeOffsets',   type: 'time',    asks: (c) => hasEntries(c.linux?.timeOffsets),      rule: "time namespace offsets specified, but time namespace isn't enabled in the config" },
  { path: '$.linux.netDevices',    type: 'network', asks: (c) => hasEntries(c.linux?.netDevices),       rule: 'unable to move network devices without a private NET namespace' },
  { path: '$.linux.maskedPaths',   type: 'mount',   asks: (c) => hasEntries(c.linux?.maskedPaths),      rule: RESTRICTED_WITHOUT_NAMESPACE },
  { path: '$.linux.readonlyPaths', type: 'mount',   asks: (c) => hasEntries(c.linux?.readonlyPaths),    rule: RESTRICTED_WITHOUT_NAMESPACE },
];

const namespaceNeeds: readonly ConfigRule[] = NAMESPACE_NEEDS.map(({ path, asks, type, rule }) => ({
  reads: [path, '$.linux.namespaces'],
  apply: (config, report) => {
    if (asks(config) && findNamespace(config, type) === undefined) report.add(path, rule);
  },
}));

/** A new user namespace without a map has no ids at all; one that is joined brings its own. */
const userNamespaceIsMapped: ConfigRule = {
  reads: ['$.linux.namespaces', '$.linux.uidMappings', '$.linux.gidMappings'],
  apply: (config, report) => {
    const user = findNamespace(config, 'user');
    if (user === undefined || user.path !== undefined) return;
    for (const kind of ['uid', 'gid'] as const) {
      if (hasEntries(config.linux?.[`${kind}Mappings`])) continue;
      report.add(`$.linux.${kind}Mappings`, `user namespaces enabled, but no ${kind} mappings found`);
    }
  },
};

const processIdsAreMapped: ConfigRule = {
  reads: ['$.linux.namespaces', '$.linux.uidMappings', '$.linux.gidMappings', '$.process.user'],
  apply: ({ process, linux }, report) => {
    const { uidMappings = [], gidMappings = [] } = linux ?? {};
    if (process === undefined) return;
    const { uid, gid, additionalGids = [] } = process.user ?? { uid: 0, gid: 0 };
    const groups = [
      ['gid', gid] as const,
      ...additionalGids.map((id, index) => [`additionalGids[${index}]`, id] as const),
    ];
    if (uidMappings.length > 0 && !isMapped(uidMappings, uid)) {
      report.add('$.process.user.uid', `user namespaces enabled, but no mapping found for uid ${uid}`);
    }
    for (const [name, id] of gidMappings.length > 0 ? groups : []) {
      if (isMapped(gidMappings, id)) continue;
      report.add(`$.process.user.${name}`, `user namespaces enabled, but no mapping found for gid ${id}`);
    }
  },
};

/** The offsets of a time namespace are fixed when its first process enters, so those of a joined one cannot be set. */
const timeNamespaceIsNew: ConfigRule = {
  reads: ['$.linux.namespaces', '$.linux.timeOffsets'],
  apply: (config, report) => {
    if (!hasEntries(config.linux?.timeOffsets) || findNamespace(config, 'time')?.path === undefined) return;
    report.add('$.linux.timeOffsets', 'must be absent when an existing time namespace is joined');
  },
};

/** config.md, `idmap`: without a mapping of its own and without a user namespace there is nothing to map by. */
const idmapHasMapping: ConfigRule = {
  reads: ['$.linux.namespaces', '$.mounts'],
  apply: (config, report) => {
    if (findNamespace(config, 'user') !== undefined) return;
    config.mounts?.forEach((mount, index) => {
      const option = mount.options?.find((name) => name === 'idmap' || name === 'ridmap');
      if (option === undefined || mount.uidMappings !== undefined) return;
      report.add(
        `$.mounts[${index}].options`,
        `${option} needs uidMappings and gidMappings, or a user namespace`,
      );
    });
  },
};

const SYSCTL_REFUSALS: ReadonlyMap<NamespaceType, string> = new Map([
  ['ipc', 'is not allowed in the hosts ipc namespace'],
  ['network', 'not allowed in host network namespace'],
  ['uts', 'is not in a separate kernel namespace'],
  ['user', 'is not allowed in the hosts user namespace'],
]);

const sysctlNamespaces: ConfigRule = {
  reads: ['$.linux.namespaces', '$.linux.sysctl'],
  apply: (config, report) => {
    for (const key of Object.keys(config.linux?.sysctl ?? {})) {
      const needed = findSysctl(key)?.namespace;
      if (needed === undefined || findNamespace(config, needed) !== undefined) continue;
      const rule = `sysctl ${quote(canonicalSysctl(key))} ${SYSCTL_REFUSALS.get(needed)}`;
      report.add(memberPath('$.linux.sysctl', key), rule);
    }
  },
};

export const CONFIG_RULES: readonly ConfigRule[] = [
  ...namespaceNeeds,
  userNamespaceIsMapped,
  processIdsAreMapped,
  timeNamespaceIsNew,
  idmapHasMapping,
  sysctlNamespaces,
];
