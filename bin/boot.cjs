// Starts the bundle named by the first argument, with its code cache: `node boot.cjs hull state ctr`.
//
// A CommonJS script with V8's code cache starts 6 ms sooner than the same bundle as an ES module, and 2 ms sooner than
// with module.enableCompileCache(), which also wants a directory it may write to and keeps a copy per user
// (docs/decisions/0001-node-and-bundle.md). The cache is made when hull is built and never written here. One that V8
// does not take (another version of Node, another architecture) costs its reading, nothing else.
'use strict';

const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');

const dist = `${__dirname.slice(0, __dirname.lastIndexOf('/'))}/dist`;
const filename = `${dist}/${process.argv[2]}.cjs`;

/** @returns {Buffer | undefined} */
function readCodeCache() {
  try {
    return readFileSync(`${dist}/${process.argv[2]}.cache`);
  } catch {
    return undefined; // the bundle runs as well without it
  }
}

// esbuild writes ASCII only; as latin1, the text is not decoded.
const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData: readCodeCache() });
const bundle = { exports: {} };
script.runInThisContext()(bundle.exports, require, bundle, filename, dist);
bundle.exports.main(process.argv.slice(3)).then((status) => process.exit(status));
