// What decides how a container is created, known before anything is done: `create` and `plan` both start here.
import { existsSync, statSync } from 'node:fs';
import type { DevicePolicy } from '../cgroups/devices/policy.ts';
import { type CreatePrograms, compileCreate } from '../namespaces/create.ts';
import type { Rlimit } from '../spec/config/process.ts';
import type { Config } from '../spec/config.ts';
import { isErrno } from '../sys/errno.ts';
import type { Bundle } from './bundle.ts';
import { type CgroupPlace, cgroupMount, chooseCgroup, devicePolicy } from './cgroup-placement.ts';
import { withEnvironment } from './environment.ts';
import { withOpenFiles } from './rlimits.ts';

export interface CreationRequest {
  /** `create`: wait for start. `run`: go on as soon as the state is saved. */
  readonly gate: 'fifo' | 'host';
  readonly preserveFds: number;
  /** How many of them are sockets of socket activation. */
  readonly listenFds: number;
  readonly newKeyring: boolean;
  readonly rootless: boolean;
  /** The soft limit of open files that the caller of the runtime had. */
  readonly openFilesLimit: number | undefined;
}

export interface CreationFacts {
  readonly id: string;
  /** Where its state will be. */
  readonly directory: string;
  readonly bundle: Bundle;
  readonly request: CreationRequest;
  /** The bundle's, with what the environment gets from the runtime. */
  readonly config: Config;
  readonly rlimits: readonly Rlimit[];
  /** undefined where a rootless container has to go without. */
  readonly cgroup: CgroupPlace | undefined;
  readonly devices: DevicePolicy;
}

/** Reads, and changes nothing. @throws {RuntimeError} for what would be refused anyway */
export function creationFacts(
  directory: string,
  id: string,
  bundle: Bundle,
  request: CreationRequest,
): CreationFacts {
  const { config } = bundle;
  return {
    id,
    directory,
    bundle,
    request,
    config: environed(bundle, request.listenFds),
    rlimits: withOpenFiles(config.process?.rlimits ?? [], request.openFilesLimit),
    cgroup: chooseCgroup(id, config, request.rootless),
    devices: devicePolicy(config),
  };
}

function environed({ config, rootfs }: Bundle, listenFds: number): Config {
  const { process } = config;
  return process === undefined ? config : { ...config, process: withEnvironment(process, rootfs, listenFds) };
}

/** What is known only once it is made. */
export interface MadeByHost {
  /** The path of the cgroup, where there is one. */
  readonly cgroupPath: string | undefined;
  /** The descriptor of the exec fifo, where there is one. */
  readonly fifo: number | string | undefined;
}

export function compileCreation(facts: CreationFacts, { cgroupPath, fifo }: MadeByHost): CreatePrograms {
  const { bundle, config, rlimits, request } = facts;
  return compileCreate(config, {
    rootless: request.rootless,
    preserveFds: request.preserveFds,
    newKeyring: request.newKeyring,
    rlimits,
    hasCgroup: cgroupPath !== undefined,
    cgroupMount: cgroupMount(config, cgroupPath),
    gate: fifo === undefined ? 'host' : { fifo: `self/fd/${fifo}` },
    bundle: bundle.path,
    rootfs: bundle.rootfs,
    isDirectory,
    hostHasKcore: existsSync('/proc/kcore'),
  });
}

/** A source that does not exist is the plan's to report, with the mount that names it. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) return true;
    throw error;
  }
}
