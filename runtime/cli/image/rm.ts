import { removeImage } from '../../../image/remove.ts';
import { defineCommand } from '../command.ts';
import { print } from '../output.ts';
import { openImageStore, STORE_OPTION } from './store-option.ts';

export const command = defineCommand({
  name: 'image rm',
  summary: 'remove images, and the layers that nothing else needs',
  description:
    'Removes images by name. Layers go with the last image that has them; those that a container stands on stay ' +
    'until it is gone.',
  examples: [['hull image rm busybox:1.36 web', 'two at once']],
  operands: '<image...>',
  options: { ...STORE_OPTION, json: { type: 'boolean', help: 'print what was removed as JSON' } },
  run(images, { store: directory, json }, { log }) {
    const store = openImageStore(directory);
    for (const name of images) {
      const { image, isCollected } = removeImage(store, name);
      print(
        json ? `${JSON.stringify({ name: image.name, id: image.id, isCollected })}\n` : `${image.name}\n`,
      );
      if (!isCollected)
        log.warning('an import is running: layers that nothing needs are removed when it is done');
    }
  },
});
