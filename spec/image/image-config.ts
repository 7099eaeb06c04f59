/** Image configurations (config.md of the image-spec 1.1): how to run an image, and what its layers unpack to. */

import { boolean, type Check, list, object, oneOf, record, required, text } from '../schema.ts';
import type { SpecError } from '../spec-error.ts';
import { environmentVariable } from '../validate/text.ts';
import { type Annotations, annotations } from './descriptor.ts';
import { digest } from './digest.ts';
import { readDocument } from './document.ts';
import type { Manifest } from './manifest.ts';
import { type Platform, platform } from './platform.ts';

/** A set: the values are `{}`. */
export type NameSet = Readonly<Record<string, object>>;

/** `config`: defaults for the container's process. Memory limits, health checks and the like are Docker's own. */
export interface ExecutionConfig {
  /** `user`, `uid`, `user:group`, `uid:gid`, `uid:group`, `user:gid`. */
  readonly User?: string;
  /** `port`, `port/tcp`, `port/udp`. */
  readonly ExposedPorts?: NameSet;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: NameSet;
  readonly WorkingDir?: string;
  readonly Labels?: Annotations;
  readonly StopSignal?: string;
  readonly ArgsEscaped?: boolean;
}

export interface RootFs {
  readonly type: 'layers';
  /** Digests of the layers' uncompressed tars, the base first. */
  readonly diff_ids: readonly string[];
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

export interface ImageConfig extends Platform {
  readonly created?: string;
  readonly author?: string;
  readonly config?: ExecutionConfig;
  readonly rootfs: RootFs;
  readonly history?: readonly HistoryEntry[];
}

const nameSet: Check<NameSet> = record(object({}), (key) =>
  key === '' ? 'must not have an empty key' : undefined,
);

const executionConfig = object<ExecutionConfig>({
  User: text(),
  ExposedPorts: nameSet,
  Env: list(environmentVariable),
  Entrypoint: list(text()),
  Cmd: list(text()),
  Volumes: nameSet,
  WorkingDir: text(),
  Labels: annotations,
  StopSignal: text(),
  ArgsEscaped: boolean,
});

const ownProperties = object<Omit<ImageConfig, keyof Platform>>({
  created: text(),
  author: text(),
  config: executionConfig,
  rootfs: required(object<RootFs>({ type: required(oneOf(['layers'])), diff_ids: required(list(digest)) })),
  history: list(
    object<HistoryEntry>({
      created: text(),
      created_by: text(),
      author: text(),
      comment: text(),
      empty_layer: boolean,
    }),
  ),
});

const imageConfig: Check<ImageConfig> = (value, at, report) => {
  platform(value, at, report);
  ownProperties(value, at, report);
};

/** Throws an {@link ImageError}. */
export function parseImageConfig(input: string | Uint8Array): ImageConfig {
  return readDocument(input, imageConfig);
}

/** What must hold between a manifest and its configuration: each layer has its `diff_id`. */
export function validateImage(manifest: Manifest, config: ImageConfig): readonly SpecError[] {
  const [layers, ids] = [manifest.layers.length, config.rootfs.diff_ids.length];
  if (layers === ids) return [];
  return [
    { path: '$.rootfs.diff_ids', rule: `must have one entry for each layer: has ${ids} for ${layers}` },
  ];
}
