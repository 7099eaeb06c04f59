// Writes V8's code caches of the scripts in dist/, in one of two ways:
//
//   node code-cache.cjs called PROGRAM '[["--version"]]'   what the given command lines call, of every script they load;
//                                                          they run one after another in this process, and may fail;
//                                                          caches from before are removed
//   node code-cache.cjs whole NAME...                      all of a script, which is the NAME up to its first dot
//
// The first is smaller, and is read sooner, by just those commands.
'use strict';

const { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');
const { dist, groups, mainOf } = require('./boot.cjs');

function writeCache(name, script) {
  const file = join(dist, `${name}.cache`);
  writeFileSync(`${file}.new`, script.createCachedData(), { mode: 0o644 });
  renameSync(`${file}.new`, file); // a hull that starts meanwhile reads the old one or the new one
}

/** V8 compiles a function when it is first called, unless it is told otherwise; and a cache is for the flags it is made under. */
function compileWhole(group) {
  setFlagsFromString('--no-lazy');
  const script = new Script(readFileSync(join(dist, `${group}.cjs`), 'latin1'));
  setFlagsFromString('--lazy');
  return script;
}

const WAYS = {
  async called(program, commandLines) {
    // A function that comes out of a cache is not told from one that was called.
    for (const file of readdirSync(dist)) if (file.endsWith('.cache')) rmSync(join(dist, file));
    for (const args of JSON.parse(commandLines)) await mainOf(program)(args);
    for (const [group, { script }] of groups) writeCache(group, script);
  },
  async whole(...names) {
    for (const name of names) writeCache(name, compileWhole(name.split('.')[0]));
  },
};

const [way, ...rest] = process.argv.slice(2);
WAYS[way](...rest);
