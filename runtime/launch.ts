// `launch`: from an image to a running container.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageProcess, type ProcessOverrides } from '../image/convert.ts';
import { EMBEDDED_IMAGE, ensureEmbeddedImage } from '../image/embedded/ensure.ts';
import { type ImportProgress, importImage } from '../image/import.ts';
import { mountImage } from '../image/mount/mount-image.ts';
import { isSourceReference } from '../image/reference.ts';
import { findImage, type ImageRecord } from '../image/store/record.ts';
import { openStore, type Store } from '../image/store/store.ts';
import { formatConfig } from '../spec/default-config.ts';
import { Root } from '../sys/path.ts';
import { loadBundle } from './bundle.ts';
import { RuntimeError } from './errors.ts';
import { type LaunchChoices, launchConfig } from './launch-config.ts';
import { removeContainerDirectory } from './launched.ts';
import { type RunOptions, runContainer } from './run.ts';
import { checkId, type StateStore } from './state-store.ts';

export interface LaunchRequest extends Omit<LaunchChoices, 'id'> {
  /** A name in the store, a source reference (`oci:DIR:TAG`), or nothing for the image that comes with hull. */
  readonly image: string | undefined;
  readonly process: ProcessOverrides;
  readonly name: string | undefined;
  /** Remove the container when its program has ended. */
  readonly remove: boolean;
  readonly onImport: ((progress: ImportProgress) => void) | undefined;
  /** The time has come from which on the container's own output may appear. */
  onReady(): void;
}

/** Four bytes are enough for names that people look at; one that is taken is refused like any other. */
const NAME_BYTES = 4;

/** @returns the program's exit status */
export async function launch(
  states: StateStore,
  storeRoot: string,
  request: LaunchRequest,
  options: RunOptions,
): Promise<number> {
  const id = request.name ?? `c${randomBytes(NAME_BYTES).toString('hex')}`;
  checkId(id);
  if (states.has(id))
    throw new RuntimeError('EXISTS', `a container named ${JSON.stringify(id)} exists already`, {
      hint: `hull delete ${id} removes it`,
    });
  const store = openStore(storeRoot);
  const image = await imageFor(store, request);
  const directory = containerDirectory(storeRoot, id);
  removeContainerDirectory(store, directory); // what a crash or a reboot left of a container that is gone
  let keep = false;
  try {
    await makeBundle(store, image, directory, { ...request, id });
    request.onReady();
    const launched = { ...options, keep: !request.remove, launched: { storeRoot, directory } };
    const status = await runContainer(states, id, loadBundle(directory), launched);
    keep = !request.remove;
    return status;
  } finally {
    if (!keep) removeContainerDirectory(store, directory);
  }
}

async function imageFor(store: Store, { image, onImport }: LaunchRequest): Promise<ImageRecord> {
  if (image === undefined || isEmbedded(image)) return await ensureEmbeddedImage(store);
  if (isSourceReference(image)) return await importImage(store, image, { onProgress: onImport });
  return findImage(store, image);
}

/** With its tag or without. */
const isEmbedded = (image: string): boolean =>
  image === EMBEDDED_IMAGE || `${image}:latest` === EMBEDDED_IMAGE;

const containerDirectory = (storeRoot: string, id: string): string => join(storeRoot, 'containers', id);

async function makeBundle(
  store: Store,
  image: ImageRecord,
  directory: string,
  choices: LaunchRequest & { id: string },
): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const mounted = await mountImage(store, image.name, directory, { readonly: choices.readonlyRoot });
  using root = Root.open(mounted.rootfs);
  const config = launchConfig(imageProcess(image.config, root, choices.process), choices);
  writeFileSync(join(directory, 'config.json'), formatConfig(config), { mode: 0o600 });
}
