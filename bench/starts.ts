/**
 * What a start of each function reads and takes: sizes of the bundles, and the time to import them in fresh processes, in turn. Renews the table in
 * bench/README.md. Run: npm run bench:starts (npm run bench does it as well); --json
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { FUNCTIONS } from '../deploy/inputs.ts';
import { packageDeployment } from '../local/deployment/packaging.ts';
import type { DeployedFunction } from '../local/deployment/template.ts';
import { median } from './statistics.ts';

const README = join(import.meta.dirname, 'README.md');
const IMPORTS = 9;

export interface Start {
  readonly name: string;
  /** What an import reads at once. */
  readonly handlerBytes: number;
  /** With what is imported when it is first needed. */
  readonly allBytes: number;
  /** About what the zip has. */
  readonly gzipBytes: number;
  readonly importMs: number;
}

const IMPORT = `const start = performance.now();
await import(process.argv[1]);
process.stdout.write(String(performance.now() - start));
process.exit(0);`;

/** What Lambda itself sets, and an address where nobody listens. */
const OF_LAMBDA = {
  AWS_REGION: 'us-east-1',
  AWS_LAMBDA_FUNCTION_NAME: 'bench',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
};

const importMs = async (handler: string, environment: Readonly<Record<string, string>>): Promise<number> => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', IMPORT, handler],
    { env: { ...environment, ...OF_LAMBDA }, timeout: 30_000 },
  );
  return Number(stdout);
};

const sizesOf = async (folder: string): Promise<Pick<Start, 'handlerBytes' | 'allBytes' | 'gzipBytes'>> => {
  const files = (await readdir(folder))
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => join(folder, file));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const zipped = await Promise.all(files.map(async (file) => gzipSync(await readFile(file)).length));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    handlerBytes: (await stat(join(folder, 'handler.mjs'))).size,
    allBytes: sum(sizes),
    gzipBytes: sum(zipped),
  };
};

/** The bundles as they are deployed. */
export const measureStarts = async (): Promise<readonly Start[]> => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-starts-'));
  try {
    const { deployment, codeDirectory } = await packageDeployment(directory, [], () => undefined);
    const handlers = FUNCTIONS.map((name) => {
      const folder = join(codeDirectory, 'dist', name);
      const isIts = ({ handler }: DeployedFunction): boolean => handler.startsWith(`dist/${name}/`);
      return { name, folder, environment: deployment.functions.find(isIts)?.environment ?? {} };
    });
    const times = new Map<string, number[]>(FUNCTIONS.map((name) => [name, []]));
    for (let turn = 0; turn < IMPORTS; turn++) {
      for (const { name, folder, environment } of handlers) {
        times.get(name)?.push(await importMs(join(folder, 'handler.mjs'), environment));
      }
    }
    return await Promise.all(
      handlers.map(async ({ name, folder }) => ({
        name,
        ...(await sizesOf(folder)),
        importMs: median(times.get(name) ?? []),
      })),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

const kib = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`;

export const startsTable = (starts: readonly Start[], loadBefore: number): string =>
  [
    `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}, shared), Node ${process.versions.node}, load average before ${loadBefore.toFixed(2)}; medians of ${IMPORTS} imports, in turn:`,
    '',
    '| function | read at a start | with what is imported later | zipped | import |',
    '|---|---|---|---|---|',
    ...starts.map(
      ({ name, handlerBytes, allBytes, gzipBytes, importMs: ms }) =>
        `| ${name} | ${kib(handlerBytes)} | ${kib(allBytes)} | ${kib(gzipBytes)} | ${ms.toFixed(0)} ms |`,
    ),
  ].join('\n');

const MARKED = /(<!-- starts -->\n)[\s\S]*?(\n<!-- \/starts -->)/;

/** Writes the table between its marks. */
export const renewStartsTable = async (table: string): Promise<void> => {
  const text = await readFile(README, 'utf8');
  if (!MARKED.test(text))
    throw new Error(`${README} has no <!-- starts --> ... <!-- /starts --> for the table`);
  await writeFile(
    README,
    text.replace(MARKED, (_, before: string, after: string) => before + table + after),
  );
};

if (import.meta.main) {
  const [loadBefore = 0] = loadavg();
  const starts = await measureStarts();
  const table = startsTable(starts, loadBefore);
  await renewStartsTable(table);
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(starts)}\n` : `${table}\n`);
}
