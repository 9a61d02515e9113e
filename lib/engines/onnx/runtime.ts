import { createRequire } from 'node:module';

type Runtime = typeof import('onnxruntime-node');

/**
 * onnxruntime comes from a Lambda layer, that is by NODE_PATH, which only CommonJS looks at. It is required when
 * the first model is opened: a start that needs no model does not pay for it.
 */
const require = createRequire(import.meta.url);
let loaded: Runtime | undefined;

export const loadOnnxRuntime = (): Runtime => {
  loaded ??= require('onnxruntime-node') as Runtime;
  return loaded;
};

/** The runtime's own words without the paths of this machine and its source files. */
export const oneLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause))
    .replaceAll(/\/[\w.@+/-]+/g, (path) => path.slice(path.lastIndexOf('/') + 1))
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300);
