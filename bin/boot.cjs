// Starts a program out of dist/: `node boot.cjs hull state ctr`.
//
// dist/ holds scripts, each a group of modules (bin/bundle.ts), and beside each what V8 compiled of it when hull was built.
// A script with V8's code cache starts 6 ms sooner than the same code as ES modules, and 2 ms sooner than with
// module.enableCompileCache(), which also wants a directory it may write to and keeps a copy for every user
// (docs/decisions/0001-node-and-bundle.md). Nothing is written here. A cache that V8 does not take, because it is of
// another version or architecture, costs its reading.
'use strict';

const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');

const dist = `${__dirname.slice(0, __dirname.lastIndexOf('/'))}/dist`;

/** The scripts read so far, by group: the functions that its modules are, and the script for its cache. */
const groups = new Map();
const modules = new Map();

/** The group of the command that runs: the first to be read after the program's own. */
let command;

/** `run` wants more of what it shares with `state` than `state` does: look.make.cache has it, look.cache has not. */
function readCodeCache(group) {
  const isShared = command !== undefined && command !== group;
  for (const name of isShared ? [`${group}.${command}`, group] : [group]) {
    try {
      return readFileSync(`${dist}/${name}.cache`);
    } catch {
      // A script runs as well without it.
    }
  }
  return undefined;
}

function loadGroup(group) {
  let loaded = groups.get(group);
  if (loaded === undefined) {
    if (groups.size === 1) command = group;
    const filename = `${dist}/${group}.cjs`;
    // esbuild writes ASCII only; as latin1, the text is not decoded.
    const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData: readCodeCache(group) });
    loaded = { filename, script, functions: script.runInThisContext() };
    groups.set(group, loaded);
  }
  return loaded;
}

/**
 * Modules of dist/ are named `./GROUP/FILE`; all others are Node's, and found from here, once: `require` takes 20 us to
 * find again what it has found, and a command asks 30 times.
 */
function requireModule(name) {
  let module = modules.get(name);
  if (module === undefined) {
    module = { exports: {} };
    modules.set(name, module);
    if (!name.startsWith('./')) {
      module.exports = require(name);
      return module.exports;
    }
    const { filename, functions } = loadGroup(name.slice(2, name.indexOf('/', 2)));
    functions[name](module.exports, requireModule, module, filename, dist);
  }
  return module.exports;
}

const programOf = (name) => requireModule(`./${name}/${name}.js`);
const mainOf = (name) => programOf(name).main;

if (require.main === module) {
  const { main, leave = process.exit } = programOf(process.argv[2]);
  main(process.argv.slice(3)).then(leave);
}

module.exports = { dist, groups, mainOf };
