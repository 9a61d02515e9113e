import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * The import arrow: functions/<name>/handler.ts -> the flow beside it -> lib/<feature> -> lib/errors, clock, env, cache.
 * lib/aws and lib/engines/<name> implement ports of the features, and no feature imports them. A change here is a
 * change of architecture: docs/architecture.md draws it.
 */
const ROOT = join(import.meta.dirname, '..');

interface Source {
  readonly path: string;
  readonly text: string;
  /** Project files as paths from the root, packages as they are named. */
  readonly imports: readonly string[];
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\('([^']+)'\)|require\('([^']+)'\)/g;

const readSource = (path: string): Source => {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const imports = [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
  return {
    path,
    text,
    imports: imports.map((name) =>
      name.startsWith('.') ? relative(ROOT, join(ROOT, dirname(path), name)) : name,
    ),
  };
};

const sources = (folder: string): readonly Source[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => readSource(relative(ROOT, join(entry.parentPath, entry.name))));

const feature = (path: string): string | undefined => /^lib\/([^/]+)\//.exec(path)?.[1];
const isHandler = (path: string): boolean => /^functions\/[^/]+\/handler\.ts$/.test(path);

/** Which arrows break a rule, as `from -> to`. */
const arrows = (
  from: readonly Source[],
  isForbidden: (path: string, imported: string) => boolean,
): readonly string[] =>
  from.flatMap(({ path, imports }) =>
    imports.filter((imported) => isForbidden(path, imported)).map((imported) => `${path} -> ${imported}`),
  );

const lib = sources('lib');
const functions = sources('functions');
const local = sources('local');

describe('the import arrow', () => {
  it('is read from real imports', () => {
    expect(arrows(functions, (path) => path === 'functions/router/handler.ts').length).toBeGreaterThan(5);
  });

  it('lib knows no function, and nothing of the local cloud or the deployment', () => {
    expect(arrows(lib, (_, imported) => /^(functions|local|deploy|test|bench)\//.test(imported))).toEqual([]);
  });

  it('a function knows no other function, and nothing of the local cloud or the deployment', () => {
    const own = (path: string): string => `${dirname(path)}/`;
    expect(
      arrows(
        functions,
        (path, imported) => imported.startsWith('functions/') && !imported.startsWith(own(path)),
      ),
    ).toEqual([]);
    expect(arrows(functions, (_, imported) => /^(local|deploy|test|bench)\//.test(imported))).toEqual([]);
  });

  it('what features share imports no feature', () => {
    const shared = lib.filter(({ path }) => feature(path) === undefined || feature(path) === 'cache');
    expect(
      arrows(shared, (_, imported) => feature(imported) !== undefined && feature(imported) !== 'cache'),
    ).toEqual([]);
  });

  it('no feature and no flow imports an adapter: only handlers do', () => {
    const inner = [
      ...lib.filter(({ path }) => feature(path) !== 'aws'),
      ...functions.filter(({ path }) => !isHandler(path)),
    ];
    expect(arrows(inner, (_, imported) => imported.startsWith('lib/aws/'))).toEqual([]);
  });

  it('only the registry of engines knows the engines', () => {
    const others = [...lib, ...functions].filter(({ path }) => path !== 'lib/engines/registry.ts');
    const engines = /^lib\/engines\/(onnx|javascript|workflow)/;
    expect(arrows(others, (path, imported) => engines.test(imported) && !engines.test(path))).toEqual([]);
  });

  it('the local cloud takes nothing from lib but what features share: it stands in for AWS, not for us', () => {
    expect(
      arrows(local, (_, imported) => imported.startsWith('functions/') || feature(imported) !== undefined),
    ).toEqual([]);
  });
});

describe('outside things have one owner', () => {
  const owners: readonly (readonly [RegExp, RegExp])[] = [
    [/^@aws-sdk\//, /^lib\/aws\//],
    [/^@aws-lambda-powertools\//, /^(lib\/aws\/|functions\/[^/]+\/handler\.ts$)/],
    [/^@middy\//, /^functions\/[^/]+\/handler\.ts$/],
    [/^tar$/, /^lib\/archive\//],
    [/^onnxruntime/, /^lib\/engines\/onnx/],
    [/^aws4$/, /^lib\/aws\//],
    [/^dot-properties$/, /^lib\/models\//],
    [/^@bufbuild\//, /^lib\/engines\/onnx/],
  ];

  it.each(owners)('%s is imported only by %s', (thing, owner) => {
    expect(
      arrows([...lib, ...functions], (path, imported) => thing.test(imported) && !owner.test(path)),
    ).toEqual([]);
  });

  it.each(['process.env', 'Date.now', 'Math.random'])('%s is read only in handlers', (global) => {
    const readers = [...lib, ...functions].filter(
      ({ path, text }) => text.includes(global) && !isHandler(path),
    );
    expect(readers.map(({ path }) => path)).toEqual([]);
  });
});

describe('handlers', () => {
  const handlers = functions.filter(({ path }) => isHandler(path));

  it.each(handlers.map(({ path, text }) => [path, text] as const))(
    '%s is wiring: short, and without an if',
    (_, text) => {
      const lines = text.split('\n').filter((line) => !/^(import .*|)$/.test(line));
      expect(lines.length).toBeLessThanOrEqual(45);
      expect(text).not.toMatch(/\bif\s*\(/);
    },
  );
});
