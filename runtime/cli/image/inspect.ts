import { describeImage } from '../../../image/inspect.ts';
import { findImage } from '../../../image/store/record.ts';
import { defineCommand } from '../command.ts';
import { print } from '../output.ts';
import { openImageStore, STORE_OPTION } from './store-option.ts';

export const command = defineCommand({
  name: 'image inspect',
  summary: 'print all that is known about an image, as JSON',
  examples: [
    ['hull image inspect busybox', 'configuration, digests, and the files that its layers are'],
    ['hull image inspect 0e5ccf87aee7', 'the same, by the beginning of its ID'],
  ],
  operands: '<image>',
  options: STORE_OPTION,
  run([image], { store: directory }) {
    const store = openImageStore(directory);
    print(`${JSON.stringify(describeImage(store, findImage(store, image)), undefined, 2)}\n`);
  },
});
