// Writes the code cache of a bundle: `node code-cache.cjs NAME '[["--version"]]'`.
//
// V8 compiles a function when it is first called, and caches what it has compiled; so the bundle first runs the command
// lines given, which should be the frequent ones. They run one after another in this process, and may fail.
'use strict';

const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { Script } = require('node:vm');

const [, , name, commandLines] = process.argv;
const dist = join(dirname(__dirname), 'dist');
const filename = join(dist, `${name}.cjs`);

async function writeCodeCache() {
  const script = new Script(readFileSync(filename, 'latin1'), { filename });
  const bundle = { exports: {} };
  script.runInThisContext()(bundle.exports, require, bundle, filename, dist);
  for (const args of JSON.parse(commandLines)) await bundle.exports.main(args);
  const cache = join(dist, `${name}.cache`);
  writeFileSync(`${cache}.new`, script.createCachedData(), { mode: 0o644 });
  renameSync(`${cache}.new`, cache); // a hull that starts meanwhile reads the old one or the new one
}

writeCodeCache();
