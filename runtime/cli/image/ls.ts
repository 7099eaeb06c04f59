import { describeImage, type ImageDescription } from '../../../image/inspect.ts';
import { listImages } from '../../../image/store/record.ts';
import { defineCommand } from '../command.ts';
import { print } from '../output.ts';
import { formatBytes, formatTable } from '../table.ts';
import { openImageStore, STORE_OPTION } from './store-option.ts';

const HEADER = ['NAME', 'ID', 'PLATFORM', 'LAYERS', 'SIZE', 'IMPORTED'] as const;
const NUMBERS = [3, 4];
const ID_DIGITS = 12;

export const command = defineCommand({
  name: 'image ls',
  summary: 'list the images in the store',
  examples: [
    ['hull image ls', 'a table'],
    ['hull image ls --json', 'for programs'],
    ['hull image ls -q', 'names only'],
  ],
  operands: '',
  options: {
    ...STORE_OPTION,
    quiet: { type: 'boolean', short: 'q', help: 'print names only' },
    json: { type: 'boolean', help: 'print a JSON array' },
  },
  run(_operands, { store: directory, quiet, json }) {
    const store = openImageStore(directory);
    const images = listImages(store).map((image) => describeImage(store, image));
    if (json) print(`${JSON.stringify(images)}\n`);
    else if (quiet) print(images.map(({ name }) => `${name}\n`).join(''));
    else
      print(
        formatTable([HEADER, ...images.map(row)], { columns: process.stdout.columns, alignRight: NUMBERS }),
      );
  },
});

function row({ name, id, platform, layers, storedBytes, imported }: ImageDescription): string[] {
  const digits = id.slice(id.indexOf(':') + 1, id.indexOf(':') + 1 + ID_DIGITS);
  const date = imported.slice(0, 'YYYY-MM-DDTHH:MM'.length).replace('T', ' ');
  return [name, digits, platform, String(layers.length), formatBytes(storedBytes), date];
}
