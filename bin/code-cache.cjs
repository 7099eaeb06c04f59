// Writes the code caches of the scripts in dist/: `node code-cache.cjs PROGRAM '[["--version"]]'`.
//
// V8 compiles a function when it is first called, and caches what it has compiled; so the program first runs the command
// lines given, which should be the frequent ones. They run one after another in this process, and may fail.
'use strict';

const { readdirSync, renameSync, writeFileSync } = require('node:fs');
const { basename, join } = require('node:path');
const { dist, groups, loadGroup, mainOf } = require('./boot.cjs');

function writeCodeCache(group, script) {
  const cache = join(dist, `${group}.cache`);
  writeFileSync(`${cache}.new`, script.createCachedData(), { mode: 0o644 });
  renameSync(`${cache}.new`, cache); // a hull that starts meanwhile reads the old one or the new one
}

async function main([program, commandLines]) {
  for (const args of JSON.parse(commandLines)) await mainOf(program)(args);
  const scripts = readdirSync(dist).filter((file) => file.endsWith('.cjs') && !file.endsWith('-worker.cjs'));
  for (const file of scripts) loadGroup(basename(file, '.cjs'));
  for (const [group, { script }] of groups) writeCodeCache(group, script);
}

main(process.argv.slice(2));
