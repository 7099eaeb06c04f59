// One layer into one image: what layer.bench.ts runs and times. Prints the peak of its memory in MB.
import { closeSync, openSync } from 'node:fs';
import { createErofsSink } from '../image/erofs/sink.ts';
import { buildLayer } from '../image/layer/build.ts';

const [blob = '', image = '', diffId] = process.argv.slice(2);
const fd = openSync(image, 'w+', 0o600);
await buildLayer(blob, { sink: createErofsSink(fd), diffId });
closeSync(fd);
console.log(Math.round(process.resourceUsage().maxRSS / 1024));
