import { cp, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The folder of an installed package, from its manifest. */
const packageFolder = (name: string, from: NodeJS.Require): string => {
  const main = from.resolve(name);
  return main.slice(0, main.lastIndexOf(join('node_modules', name)) + join('node_modules', name).length);
};

/**
 * Lays out onnxruntime as a Lambda layer (`nodejs/node_modules` is on NODE_PATH there), trimmed from the 288 MB
 * of the npm package to the one platform that runs on Lambda. The package's other dependencies serve only its
 * install script.
 */
export const buildOnnxruntimeLayer = async (
  directory: string,
  architecture: 'x64' | 'arm64',
): Promise<void> => {
  const modules = join(directory, 'nodejs', 'node_modules');
  const runtime = packageFolder('onnxruntime-node', require);
  const common = packageFolder('onnxruntime-common', createRequire(join(runtime, 'package.json')));
  const platform = join('bin', 'napi-v6', 'linux', architecture);

  await copyParts(runtime, join(modules, 'onnxruntime-node'), ['package.json', 'dist', platform]);
  await copyParts(common, join(modules, 'onnxruntime-common'), ['package.json', join('dist', 'cjs')]);
};

const copyParts = async (from: string, to: string, parts: readonly string[]): Promise<void> => {
  for (const part of parts) {
    await mkdir(dirname(join(to, part)), { recursive: true });
    await cp(join(from, part), join(to, part), { recursive: true, filter: isNeeded });
  }
};

const isNeeded = (path: string): boolean => !path.endsWith('.map') && !path.endsWith('.d.ts');
