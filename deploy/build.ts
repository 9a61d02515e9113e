import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { type Architecture, buildOnnxruntimeLayer } from '../layers/onnxruntime/build.ts';
import { withFolderLock } from './folder-lock.ts';
import { BUNDLE_INPUTS, FUNCTIONS, hashInputs, ROOT } from './inputs.ts';

const DIST = join(ROOT, 'dist');

/**
 * `serverless invoke local` requires CommonJS, while the bundle must be an ES module: only there can the inference
 * function await at top level, which is all that Lambda's READY waits for. Lambda's own loader prefers `.mjs`.
 */
const COMMONJS_DOOR =
  "exports.handler = async (event, context) => (await import('./handler.mjs')).handler(event, context);\n";

/** Bundled CommonJS dependencies call `require` for Node's own modules; an ES module has none. */
const REQUIRE_FOR_BUNDLED_COMMONJS =
  "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);";

/** Builds `dist/`: a bundle per function, and the layer for an architecture. Does nothing where they are there and up to date. */
const buildAll = async (architecture: Architecture): Promise<void> => {
  const key = await hashInputs(BUNDLE_INPUTS);
  await unlessCurrent('key', key, () => Promise.all(FUNCTIONS.map(bundle)));
  await unlessCurrent(`onnxruntime-layer-${architecture}.key`, key, () => buildLayer(architecture));
};

/** `name` is the file that says of what the last finished work was made. */
const unlessCurrent = async (name: string, key: string, work: () => Promise<unknown>): Promise<void> => {
  const file = join(DIST, name);
  if ((await readFile(file, 'utf8').catch(() => undefined)) === key) return;
  await rm(file, { force: true });
  await work();
  await writeFile(file, key);
};

/** What a function starts in threads of their own: files beside its handler. */
const THREADS: Readonly<Record<string, readonly string[]>> = {
  inference: ['lib/engines/javascript/thread.ts'],
};

const BUILTIN = new RegExp(`^(node:.*|${builtinModules.filter((name) => /^[a-z]/.test(name)).join('|')})$`);

/**
 * Node's own modules when something of theirs is first used, and not when they are imported: dependencies import http2,
 * child_process and more that no call ever uses. An `import` that stays one would also read every export of a module, and one
 * export of `node:http` loads all of undici, 32 ms (Node 24.21).
 */
const lateBuiltins: Plugin = {
  name: 'late-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: BUILTIN }, ({ path, kind }) => {
      // esbuild gives what is imported later no names, if it is no ES module.
      if (kind === 'dynamic-import') return { path, external: true };
      return { path: path.replace(/^(?:node:)?/, 'node:'), namespace: 'builtin' };
    });
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: lateModule(path),
      loader: 'js',
    }));
  },
};

const lateModule = (path: string): string => {
  const take = `process.getBuiltinModule(${JSON.stringify(path)})`;
  const builtin: unknown = process.getBuiltinModule(path);
  // A module that is a function itself (assert, events, stream) has no names to wait for, and `process` must be itself.
  if (typeof builtin !== 'object' || builtin === null || path === 'node:process')
    return `module.exports = ${take};`;
  return `let builtin;
const load = () => (builtin ??= ${take});
for (const name of ${JSON.stringify(Object.keys(builtin))})
  Object.defineProperty(exports, name, {
    enumerable: true,
    get: () => load()[name],
    set: (value) => { load()[name] = value; },
  });`;
};

/** What is imported where it is first needed becomes a file of its own, which a start does not read. */
const bundle = async (name: string): Promise<void> => {
  const folder = join(DIST, name);
  await rm(folder, { recursive: true, force: true });
  await build({
    absWorkingDir: ROOT,
    entryPoints: [join('functions', name, 'handler.ts'), ...(THREADS[name] ?? [])],
    outdir: folder,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    splitting: true,
    plugins: [lateBuiltins],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: false,
    sourcemap: 'external',
    legalComments: 'none',
    banner: { js: REQUIRE_FOR_BUNDLED_COMMONJS },
    logLevel: 'warning',
  });
  await writeFile(join(folder, 'handler.cjs'), COMMONJS_DOOR);
};

const buildLayer = async (architecture: Architecture): Promise<void> => {
  const finished = join(DIST, `onnxruntime-layer-${architecture}`);
  const unfinished = `${finished}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await buildOnnxruntimeLayer(unfinished, architecture);
  await rm(finished, { recursive: true, force: true });
  await rename(unfinished, finished);
};

const [, , architecture = 'x86_64'] = process.argv;
if (architecture !== 'x86_64' && architecture !== 'arm64') {
  throw new Error(`parameter architecture should be x86_64 or arm64, but is ${JSON.stringify(architecture)}`);
}
await mkdir(DIST, { recursive: true });
await withFolderLock(join(DIST, 'lock'), () => buildAll(architecture));
