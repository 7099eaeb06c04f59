// The sources as a few scripts, each a group of modules that are wanted together.
//
// esbuild cuts the program where import() does, into ES modules, one for each set of modules that the same commands
// share. They become functions `(exports, require, module, __filename, __dirname)`, gathered by group into a script
// whose value is an object of them. bin/boot.cjs is the `require` that they are given.
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin, transform } from 'esbuild';

/** A script from node:vm has no import() of its own; esbuild writes a promise of a require() instead. */
const NO_DYNAMIC_IMPORT = { 'dynamic-import': false };

/** A program and the source that it begins with. */
export interface Program {
  readonly name: string;
  readonly source: string;
}

/** Commands that share a script: the sources that they begin with. */
export interface Group {
  readonly name: string;
  readonly entryPoints: readonly string[];
}

type Outputs = Metafile['outputs'];

const COMMON = {
  platform: 'node',
  target: 'node26',
  // Half the bytes to read at start. Names stay, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
} as const satisfies BuildOptions;

const URL_OF_SCRIPT = '__scriptUrl';

/** What ES modules know of themselves, in words that a function with `__filename` and `__dirname` can answer. */
const IMPORT_META = {
  'import.meta.main': 'false',
  'import.meta.dirname': '__dirname',
  'import.meta.filename': '__filename',
  'import.meta.url': URL_OF_SCRIPT,
};

const urlDeclaration = (code: string): string =>
  code.includes(URL_OF_SCRIPT)
    ? `const ${URL_OF_SCRIPT}=require("node:url").pathToFileURL(__filename).href;`
    : '';

/** `new Worker(new URL('./vcpu-worker.ts', import.meta.url))`: in dist/, a script of its own. */
const WORKER = /new URL\('\.\/([a-z0-9-]+-worker)\.ts', import\.meta\.url\)/g;

/** Points the URLs of workers to their scripts, and notes their sources in `workers`. */
const workerUrls = (workers: Set<string>): Plugin => ({
  name: 'worker-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/, namespace: 'file' }, ({ path }) => {
      if (path.includes('/node_modules/')) return undefined;
      const contents = readFileSync(path, 'utf8').replace(WORKER, (_match, name: string) => {
        workers.add(join(dirname(path), `${name}.ts`));
        return `new URL('./${name}.cjs', import.meta.url)`;
      });
      return { contents, loader: 'ts' };
    });
  },
});

/** The outputs that `name` imports, directly or not, without those that it imports when it is told to. */
function staticClosure(outputs: Outputs, name: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(name)) return found;
  found.add(name);
  for (const { path, kind, external } of outputs[name]?.imports ?? []) {
    if (kind === 'import-statement' && !external) staticClosure(outputs, path, found);
  }
  return found;
}

/**
 * Which group each output belongs to: the first that needs it. `wanted` are groups with their entry points, in order; any
 * entry point beside them is a group of its own.
 */
function assignGroups(outputs: Outputs, wanted: readonly Group[]): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  for (const [name, { entryPoint }] of Object.entries(outputs)) {
    if (entryPoint !== undefined) entries.set(entryPoint, name);
  }
  const named = new Set(wanted.flatMap(({ entryPoints }) => entryPoints));
  const others = [...entries.keys()].filter((source) => !named.has(source));
  const rest = others.sort().map((source) => ({ name: basename(source, '.ts'), entryPoints: [source] }));
  const groupOf = new Map<string, string>();
  for (const { name, entryPoints } of [...wanted, ...rest]) {
    for (const entryPoint of entryPoints) {
      const entry = entries.get(entryPoint);
      if (entry === undefined) throw new Error(`nothing imports ${entryPoint}`);
      for (const output of staticClosure(outputs, entry)) {
        if (!groupOf.has(output)) groupOf.set(output, name);
      }
    }
  }
  return groupOf;
}

/** esbuild copies a module's exports, getter by getter, to mark them as an ES module's; nothing here asks for the mark. */
const COPIED_EXPORTS =
  /var stdin_exports=\{\};__export\(stdin_exports,(\{[^}]*\})\);module\.exports=__toCommonJS\(stdin_exports\);/;

/** An ES module as a property of its group's object, with imports that name the group of what they import. */
async function moduleFunction(
  name: string,
  code: string,
  groupOf: ReadonlyMap<string, string>,
): Promise<string> {
  const { code: commonJs } = await transform(code, {
    ...COMMON,
    format: 'cjs',
    supported: NO_DYNAMIC_IMPORT,
  });
  const own = commonJs.replace(COPIED_EXPORTS, '__export(exports,$1);');
  const body = own.replace(
    /require\("\.\/([^"/]+)"\)/g,
    (_match, file: string) => `require("./${groupOf.get(file)}/${file}")`,
  );
  return `"./${groupOf.get(name)}/${name}"(exports,require,module,__filename,__dirname){${urlDeclaration(body)}${body}}`;
}

/**
 * Bundles `programs` into scripts: a Map from a file's name, such as `hull.cjs`, to its text. A program's entry is the
 * module `./NAME/NAME.js`. `frequent` are groups of commands that share a script.
 */
export async function bundle(
  root: string,
  programs: readonly Program[],
  frequent: readonly Group[],
  define: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, string>> {
  const workers = new Set<string>();
  const { outputFiles, metafile } = await build({
    ...COMMON,
    absWorkingDir: root,
    entryPoints: programs.map(({ name, source }) => ({ in: source, out: name })),
    outdir: '.',
    bundle: true,
    splitting: true,
    format: 'esm',
    write: false,
    metafile: true,
    define: { ...IMPORT_META, ...define },
    plugins: [workerUrls(workers)],
  });
  const own = programs.map(({ name, source }) => ({ name, entryPoints: [source] }));
  const groupOf = assignGroups(metafile.outputs, [...own, ...frequent]);
  const groups = new Map<string, string[]>();
  for (const { path, text } of outputFiles) {
    const name = basename(path);
    const group = `${groupOf.get(name)}.cjs`;
    groups.set(group, [...(groups.get(group) ?? []), await moduleFunction(name, text, groupOf)]);
  }
  const scripts = new Map<string, string>();
  for (const [file, functions] of groups) scripts.set(file, `({${functions.join(',\n')}})\n`);
  for (const worker of workers) {
    scripts.set(`${basename(worker, '.ts')}.cjs`, await bundleWorker(root, worker, define));
  }
  return scripts;
}

/** A worker is a whole program, which Node loads as any CommonJS module. */
async function bundleWorker(
  root: string,
  source: string,
  define: Readonly<Record<string, string>>,
): Promise<string> {
  const workers = new Set<string>();
  const { outputFiles } = await build({
    ...COMMON,
    absWorkingDir: root,
    entryPoints: [source],
    bundle: true,
    format: 'cjs',
    write: false,
    define: { ...IMPORT_META, ...define },
    plugins: [workerUrls(workers)],
  });
  if (workers.size > 0)
    throw new Error(`${source} starts workers of its own, which the build does not follow`);
  const text = outputFiles[0]?.text ?? '';
  return `${urlDeclaration(text)}${text}`;
}
