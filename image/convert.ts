// From an image's configuration to the parts of a runtime-spec config.json: conversion.md of the image-spec.
import path from 'node:path';
import type { Mount } from '../spec/config/mount.ts';
import type { Process } from '../spec/config/process.ts';
import type { Annotations } from '../spec/image/descriptor.ts';
import type { ExecutionConfig, ImageConfig } from '../spec/image/image-config.ts';
import type { Root } from '../sys/path.ts';
import { ImageError } from './error.ts';
import { resolveUser } from './passwd.ts';

/** What the command line says in the image's stead. */
export interface ProcessOverrides {
  /** Replaces the image's Entrypoint, and with it its Cmd. */
  readonly entrypoint?: readonly string[];
  /** Replaces the image's Cmd. */
  readonly args?: readonly string[];
  /** `NAME=value`, over the image's. */
  readonly env?: readonly string[];
  readonly cwd?: string;
  readonly user?: string;
}

export interface ImageProcess {
  readonly process: Pick<Process, 'args' | 'cwd'> & Required<Pick<Process, 'env' | 'user'>>;
  readonly annotations: Annotations;
  /** One for each volume: empty, but for what the image has there. */
  readonly mounts: readonly Mount[];
  /** As the image spells it: `SIGTERM`, `15`, `RTMIN+3`. */
  readonly stopSignal?: string;
}

/** What Docker gives a container whose image says nothing. */
const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * @param root The image's root file system, for the names of users.
 * @throws {ImageError}
 */
export function imageProcess(
  config: ImageConfig,
  root: Root,
  overrides: ProcessOverrides = {},
): ImageProcess {
  const execution = config.config ?? {};
  const { uid, gid, additionalGids, home } = resolveUser(root, overrides.user ?? execution.User ?? '');
  const env = mergeEnv([DEFAULT_PATH, `HOME=${home ?? '/'}`], execution.Env ?? [], overrides.env ?? []);
  const user = { uid, gid, ...(additionalGids.length > 0 && { additionalGids }) };
  return {
    process: {
      args: argumentsOf(execution, overrides),
      env,
      cwd: workingDirectory(execution, overrides),
      user,
    },
    annotations: annotationsOf(config),
    mounts: volumeMounts(execution),
    ...(execution.StopSignal !== undefined && { stopSignal: execution.StopSignal }),
  };
}

function argumentsOf(execution: ExecutionConfig, { entrypoint, args }: ProcessOverrides): readonly string[] {
  const command = entrypoint === undefined ? (args ?? execution.Cmd ?? []) : (args ?? []);
  const all = [...(entrypoint ?? execution.Entrypoint ?? []), ...command];
  if (all.length > 0) return all;
  throw new ImageError('NOT_FOUND', 'the image names no program to run: name one on the command line');
}

/** The last of a name counts; a name keeps its first place. */
export function mergeEnv(...lists: readonly (readonly string[])[]): string[] {
  const byName = new Map<string, string>();
  for (const variable of lists.flat()) byName.set(variable.slice(0, nameLength(variable)), variable);
  return [...byName.values()];
}

function nameLength(variable: string): number {
  const equals = variable.indexOf('=');
  return equals === -1 ? variable.length : equals;
}

/** Some images have a relative one, which Docker takes from the root. */
function workingDirectory({ WorkingDir = '' }: ExecutionConfig, { cwd }: ProcessOverrides): string {
  return path.posix.resolve('/', cwd ?? WorkingDir);
}

/** Labels that runtimes act on: an image must not set units of systemd, options of CRIU, or handlers of crun. */
const COMMANDING_LABELS = /^(?:org\.systemd\.property\.|org\.criu\.|run\.oci\.|io\.katacontainers\.|bundle$)/;

/** conversion.md, "Annotation Fields". Labels count over the fields. */
function annotationsOf(config: ImageConfig): Annotations {
  const { os, architecture, variant, author, created, config: execution = {} } = config;
  const fields: Record<string, string | undefined> = {
    'org.opencontainers.image.os': os,
    'org.opencontainers.image.architecture': architecture,
    'org.opencontainers.image.variant': variant,
    'org.opencontainers.image.os.version': config['os.version'],
    'org.opencontainers.image.os.features': config['os.features']?.join(','),
    'org.opencontainers.image.author': author,
    'org.opencontainers.image.created': created,
    'org.opencontainers.image.stopSignal': execution.StopSignal,
    'org.opencontainers.image.exposedPorts': Object.keys(execution.ExposedPorts ?? {}).join(','),
  };
  const annotations: Record<string, string> = {};
  for (const [key, value] of Object.entries({ ...fields, ...execution.Labels })) {
    if (value !== undefined && value !== '' && !COMMANDING_LABELS.test(key)) annotations[key] = value;
  }
  return annotations;
}

/**
 * A volume is a tmpfs that starts with what the image has there. The path is the container's: `..` in it ends at
 * the container's root, and copying happens inside it (CVE-2022-23648).
 */
function volumeMounts({ Volumes = {} }: ExecutionConfig): Mount[] {
  return Object.keys(Volumes).map((volume) => {
    const destination = path.posix.resolve('/', volume);
    if (destination === '/' || volume.includes('\0')) {
      throw new ImageError(
        'REJECTED',
        `the image wants a volume at ${JSON.stringify(volume)}, which cannot be one`,
      );
    }
    return { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'tmpcopyup'] };
  });
}
