import { createHash } from 'node:crypto';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** As Lambda names them, and as the package does. */
const PLATFORMS = { x86_64: 'x64', arm64: 'arm64' } as const;
export type Architecture = keyof typeof PLATFORMS;

/** The folder of an installed package, from its manifest. */
const packageFolder = (name: string, from: NodeJS.Require): string => {
  const main = from.resolve(name);
  return main.slice(0, main.lastIndexOf(join('node_modules', name)) + join('node_modules', name).length);
};

/**
 * Lays out onnxruntime as a Lambda layer (`nodejs/node_modules` is on NODE_PATH there), trimmed from the 288 MB
 * of the npm package to the one platform that runs on Lambda. The package's other dependencies serve only its
 * install script.
 * @throws Error when a binary is not the one whose checksum is in checksums.json
 */
export const buildOnnxruntimeLayer = async (
  directory: string,
  architecture: Architecture,
  checksums: string = join(import.meta.dirname, 'checksums.json'),
): Promise<void> => {
  const modules = join(directory, 'nodejs', 'node_modules');
  const runtime = packageFolder('onnxruntime-node', require);
  const common = packageFolder('onnxruntime-common', createRequire(join(runtime, 'package.json')));
  const platform = join('bin', 'napi-v6', 'linux', PLATFORMS[architecture]);

  await checkBinaries(runtime, architecture, checksums);
  await copyParts(runtime, join(modules, 'onnxruntime-node'), ['package.json', 'dist', platform]);
  await copyParts(common, join(modules, 'onnxruntime-common'), ['package.json', join('dist', 'cjs')]);
};

interface Checksums {
  readonly version: string;
  /** SHA-256 by path in the package. */
  readonly files: Readonly<Record<Architecture, Readonly<Record<string, string>>>>;
}

/** npm checks the archive as a whole; this checks what goes into an account, against what a person has reviewed. */
const checkBinaries = async (
  runtime: string,
  architecture: Architecture,
  checksums: string,
): Promise<void> => {
  const { version, files } = JSON.parse(await readFile(checksums, 'utf8')) as Checksums;
  const installed = JSON.parse(await readFile(join(runtime, 'package.json'), 'utf8')) as { version: string };
  if (installed.version !== version) {
    throw new Error(
      `onnxruntime-node ${installed.version} is installed, and layers/onnxruntime/checksums.json is for ${version}: ` +
        'run npm ci, or after a deliberate update renew the checksums (sha256sum)',
    );
  }
  for (const [path, expected] of Object.entries(files[architecture])) {
    const came = createHash('sha256')
      .update(await readFile(join(runtime, path)))
      .digest('hex');
    if (came !== expected) {
      throw new Error(
        `${path} of onnxruntime-node ${version} has SHA-256 ${came}, and should have ${expected}: it is damaged or not what was reviewed; run npm ci`,
      );
    }
  }
};

const copyParts = async (from: string, to: string, parts: readonly string[]): Promise<void> => {
  for (const part of parts) {
    await mkdir(dirname(join(to, part)), { recursive: true });
    await cp(join(from, part), join(to, part), { recursive: true, filter: isNeeded });
  }
};

const isNeeded = (path: string): boolean => !path.endsWith('.map') && !path.endsWith('.d.ts');
