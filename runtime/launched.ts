// What `launch` makes beside a container, and how it goes away with it.
import { rmSync } from 'node:fs';
import { unmountImage } from '../image/mount/mount-image.ts';
import { openStore, type Store } from '../image/store/store.ts';
import type { Launched } from './state-store.ts';

/** Takes down what launch made for a container, in whatever state it was left; may be repeated. */
export function removeLaunched({ storeRoot, directory }: Launched): void {
  removeContainerDirectory(openStore(storeRoot), directory);
}

export function removeContainerDirectory(store: Store, directory: string): void {
  unmountImage(store, directory);
  rmSync(directory, { recursive: true, force: true });
}
