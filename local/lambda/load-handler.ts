import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RuntimeError } from './runtime-error.ts';

export type Handler = (event: unknown, context: object) => unknown;

/**
 * Finds `path/module.export` below the task root as Lambda's runtime does: the bare path, .js, .mjs, .cjs.
 * @throws RuntimeError Runtime.ImportModuleError, .UserCodeSyntaxError, .HandlerNotFound or .MalformedHandlerName;
 *   and whatever the module itself throws.
 */
export const loadHandler = async (root: string, handler: string): Promise<Handler> => {
  const [moduleName = '', ...exported] = basename(handler).split('.');
  if (exported.length === 0 || handler.includes('..')) {
    throw new RuntimeError('Runtime.MalformedHandlerName', `'${handler}' is not a valid handler name`);
  }

  const path = join(root, dirname(handler), moduleName);
  const file = ['', '.js', '.mjs', '.cjs'].map((extension) => path + extension).find(isFile);
  if (file === undefined) {
    throw new RuntimeError('Runtime.ImportModuleError', `Error: Cannot find module '${moduleName}'`);
  }

  const module = await importModule(file);
  const namespace = { ...(module['default'] as object | undefined), ...module };
  const found = exported.reduce<unknown>(
    (value, key) => (value as Record<string, unknown> | undefined)?.[key],
    namespace,
  );
  if (typeof found !== 'function') {
    throw new RuntimeError('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  }
  return found as Handler;
};

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

const importModule = async (file: string): Promise<Record<string, unknown>> => {
  try {
    return await import(pathToFileURL(file).href);
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      throw new RuntimeError('Runtime.UserCodeSyntaxError', String(cause), { cause });
    }
    if (cause instanceof Error && 'code' in cause && cause.code === 'MODULE_NOT_FOUND') {
      throw new RuntimeError('Runtime.ImportModuleError', String(cause), { cause });
    }
    throw cause;
  }
};
