// `launch`: from an image to a running container.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageProcess, type ProcessOverrides } from '../image/convert.ts';
import { EMBEDDED_IMAGE, ensureEmbeddedImage } from '../image/embedded/ensure.ts';
import { ImageError } from '../image/error.ts';
import { type ImportProgress, importImage } from '../image/import.ts';
import { mountImage } from '../image/mount/mount-image.ts';
import { isSourceReference } from '../image/reference.ts';
import { findImage, type ImageRecord, listImages } from '../image/store/record.ts';
import { openStore, type Store } from '../image/store/store.ts';
import { formatConfig } from '../spec/default-config.ts';
import { Root } from '../sys/path.ts';
import { loadBundle } from './bundle.ts';
import { RuntimeError } from './errors.ts';
import { type LaunchChoices, launchConfig } from './launch-config.ts';
import { claimContainerDirectory } from './launched.ts';
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
  if (states.has(id)) throw nameIsTaken(id);
  const store = openStore(storeRoot);
  const image = await imageFor(store, request);
  const directory = join(storeRoot, 'containers', id);
  using claim = claimContainerDirectory(store, directory, states.directory(id));
  if (claim === undefined) throw nameIsTaken(id);
  await makeBundle(store, image, directory, { ...request, id });
  request.onReady();
  const launched = { ...options, keep: !request.remove, launched: { storeRoot, directory } };
  const status = await runContainer(states, id, loadBundle(directory), launched);
  if (!request.remove) claim.keep();
  return status;
}

const nameIsTaken = (id: string): RuntimeError =>
  new RuntimeError('EXISTS', `a container named ${JSON.stringify(id)} exists already`, {
    hint: `hull delete ${id} removes it`,
  });

async function imageFor(store: Store, { image, onImport }: LaunchRequest): Promise<ImageRecord> {
  if (image === undefined || isEmbedded(image)) return await ensureEmbeddedImage(store);
  if (isSourceReference(image)) return await importImage(store, image, { onProgress: onImport });
  return findKnown(store, image);
}

/** @throws {RuntimeError} naming what could have been meant */
function findKnown(store: Store, image: string): ImageRecord {
  try {
    return findImage(store, image);
  } catch (error) {
    if (!(error instanceof ImageError) || error.code !== 'NOT_FOUND') throw error;
    const names = listImages(store).map(({ name }) => JSON.stringify(name));
    const shown = names.length > NAMES_SHOWN_MAX ? [...names.slice(0, NAMES_SHOWN_MAX), '…'] : names;
    throw new RuntimeError('NOT_FOUND', error.message, {
      hint: `the store has ${shown.join(', ') || 'none yet'}; oci:DIR[:TAG] imports another`,
    });
  }
}

/** Enough to see a mistyped name; `hull image ls` shows all. */
const NAMES_SHOWN_MAX = 8;

/** With its tag or without. */
const isEmbedded = (image: string): boolean =>
  image === EMBEDDED_IMAGE || `${image}:latest` === EMBEDDED_IMAGE;

async function makeBundle(
  store: Store,
  image: ImageRecord,
  directory: string,
  choices: LaunchRequest & { id: string },
): Promise<void> {
  const mounted = await mountImage(store, image.name, directory, { readonly: choices.readonlyRoot });
  using root = Root.open(mounted.rootfs);
  const config = launchConfig(imageProcess(image.config, root, choices.process), choices);
  writeFileSync(join(directory, 'config.json'), formatConfig(config), { mode: 0o600 });
}
