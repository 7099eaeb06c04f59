/** What the probe (test/support/probe) prints about the container it runs in. */

import type { Bundle, ConfigChange } from './bundle.ts';
import type { CapabilitySet } from './config.ts';
import type { TestHost } from './host.ts';
import type { CallOptions } from './runtime.ts';

export interface ReportedIds {
  readonly real: number;
  readonly effective: number;
  readonly saved: number;
  readonly filesystem: number;
}

export interface ReportedMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly root: string;
  readonly device: string;
  readonly options: readonly string[];
  readonly propagation: readonly string[];
  readonly super: readonly string[];
}

export interface ReportedDevice {
  readonly type: string;
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly device?: string;
  readonly target?: string;
}

export interface ReportedDescriptor {
  readonly number: number;
  readonly type: string;
  readonly target?: string;
  readonly closeOnExec: boolean;
}

/** `read` and `write` are `ok` or the name of the error; a path that is not there has that as its type. */
export interface ReportedPath {
  readonly type: string;
  readonly device?: string;
  readonly read?: string;
  readonly write?: string;
  readonly empty?: boolean;
  readonly entries?: number;
}

export interface ProbeReport {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly pid: number;
  readonly ppid: number;
  readonly processGroup: number;
  readonly session: number;
  readonly pidsByNamespace: string;
  readonly namespaces: Readonly<Record<string, string>>;
  readonly mounts: readonly ReportedMount[];
  readonly hostname: string;
  readonly domainname: string;
  readonly machine: string;
  readonly cwd: string;
  readonly uids: ReportedIds;
  readonly gids: ReportedIds;
  readonly groups: readonly number[];
  readonly umask: number;
  readonly capabilities: Readonly<Record<CapabilitySet, readonly string[]>>;
  readonly seccompMode: number;
  readonly seccompFilters: number;
  readonly noNewPrivileges: boolean;
  readonly securebits: number;
  readonly keepCapabilities: boolean;
  readonly dumpable: number;
  readonly childSubreaper: number;
  readonly personality: number;
  readonly label: string;
  /** What describes it, `type;uid;gid;permissions;name`, and which it is. */
  readonly sessionKeyring: string;
  readonly sessionKeyringId: number;
  readonly rlimits: Readonly<Record<string, { readonly soft: string; readonly hard: string }>>;
  readonly signals: {
    readonly blocked: readonly string[];
    readonly ignored: readonly string[];
    readonly caught: readonly string[];
    readonly pending: readonly string[];
    readonly parentDeath: number;
  };
  readonly scheduler: {
    readonly policy: number;
    readonly flags: number;
    readonly nice: number;
    readonly priority: number;
  };
  readonly ioPriority: number;
  readonly affinity: readonly number[];
  readonly oomScoreAdj: number;
  readonly cgroups: readonly string[];
  readonly timeOffsets: string;
  readonly clocks: { readonly monotonic: number; readonly boottime: number; readonly realtime: number };
  readonly root: { readonly write: string; readonly mode: string; readonly entries: readonly string[] };
  readonly devices: Readonly<Record<string, ReportedDevice>>;
  readonly descriptors: readonly ReportedDescriptor[];
  readonly terminal: {
    readonly controlling: string;
    readonly foreground?: number;
    readonly name: string;
    readonly rows?: number;
    readonly columns?: number;
    readonly mapsNewlines?: boolean;
  };
  readonly paths: Readonly<Record<string, ReportedPath>>;
  readonly sysctl: Readonly<Record<string, string>>;
}

export function parseReport(text: string): ProbeReport {
  return JSON.parse(text) as ProbeReport;
}

/** Runs a container whose process is the probe, with a configuration changed by the test, and reads its report. */
export async function reportOf(
  host: TestHost,
  change: ConfigChange = () => {},
  options: CallOptions = {},
): Promise<ProbeReport> {
  return reportOfBundle(host, host.bundle(change), options);
}

export async function reportOfBundle(
  host: TestHost,
  bundle: Bundle,
  options: CallOptions = {},
): Promise<ProbeReport> {
  const { status, stdout, stderr } = await host.runtime.run(host.id(), bundle, options);
  if (status !== 0) throw new Error(`the probe did not run (status ${status}): ${stderr}`);
  return parseReport(stdout);
}

/** The mount that is on top at `destination`. */
export function mountAt(report: ProbeReport, destination: string): ReportedMount {
  const mount = report.mounts.findLast((candidate) => candidate.destination === destination);
  if (mount === undefined) throw new Error(`nothing is mounted on "${destination}"`);
  return mount;
}
