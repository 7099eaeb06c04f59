import { unpackImage } from '../../../image/unpack/unpack-image.ts';
import { defineCommand } from '../command.ts';
import { PLATFORM_OPTION, parsePlatform } from './platform-option.ts';
import { openImageStore, STORE_OPTION } from './store-option.ts';

export const command = defineCommand({
  name: 'image unpack',
  summary: 'write the root file system of an image to a directory',
  description:
    'Unpacks all layers of an image of the store, or of a reference as "image import" takes it, into a new or empty ' +
    "directory. Without root, everything belongs to the caller; the image's owners are kept in the attribute " +
    'user.rootlesscontainers, as umoci does, and devices are left out.',
  examples: [
    ['hull image unpack busybox rootfs', 'an image of the store'],
    ['hull image unpack oci:images/debian:12 rootfs', 'one that is not stored'],
  ],
  operands: '<image> <directory>',
  options: { ...STORE_OPTION, ...PLATFORM_OPTION },
  async run([image, target], { store: directory, platform }, { log }) {
    const store = openImageStore(directory);
    const { warnings } = await unpackImage(store, image, target, { platform: parsePlatform(platform) });
    if (warnings.length > 0)
      log.warning(`left out, for want of privilege or support: ${warnings.join(', ')}`);
  },
});
