import { importImage } from '../../../image/import.ts';
import { describeImage } from '../../../image/inspect.ts';
import { defineCommand } from '../command.ts';
import { print } from '../output.ts';
import { PLATFORM_OPTION, parsePlatform } from './platform-option.ts';
import { progressLine } from './progress.ts';
import { openImageStore, STORE_OPTION } from './store-option.ts';

export const command = defineCommand({
  name: 'image import',
  summary: 'bring an image into the store',
  description:
    'Verifies an image and keeps each of its layers as one read-only file, which containers then share. A reference ' +
    'is oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:TAG]; archives may be compressed, and FILE may ' +
    'be /dev/stdin.',
  examples: [
    ['hull image import oci:images/busybox:1.36', 'from an image layout, as umoci and skopeo make them'],
    ['docker save busybox | hull image import docker-archive:/dev/stdin', "from Docker's images"],
    ['hull image import --name web oci-archive:web.tar', 'under a name of your own'],
  ],
  operands: '<reference>',
  options: {
    ...STORE_OPTION,
    ...PLATFORM_OPTION,
    name: {
      type: 'string',
      short: 'n',
      value: 'name',
      help: 'what to call it (default: what its source says)',
    },
    json: { type: 'boolean', help: 'print what was imported as JSON' },
  },
  async run([reference], { store: directory, name, platform, json }) {
    const store = openImageStore(directory);
    using progress = progressLine(reference);
    const options = { name, platform: parsePlatform(platform), onProgress: progress.report };
    const image = await importImage(store, reference, options);
    progress[Symbol.dispose]();
    print(json ? `${JSON.stringify(describeImage(store, image))}\n` : `${image.name} ${image.id}\n`);
  },
});
