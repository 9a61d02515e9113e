import { readdirSync } from 'node:fs';
import { chooseEngine, type EngineName } from './choose-engine.ts';
import type { Engine, LoadContext, LoadedModel } from './engine.ts';

export interface EngineRegistryOptions {
  /** Whether model.mjs may run: it is code of whoever may upload a model. */
  readonly allowCustomCode: boolean;
  readonly now: () => number;
}

/** Opens an unpacked artifact with the engine that its files ask for; an engine is imported when first needed. */
export const createEngineRegistry = ({ allowCustomCode, now }: EngineRegistryOptions): Engine => {
  const engines = new Map<EngineName, Promise<Engine>>();

  const engine = (name: EngineName): Promise<Engine> => {
    const known = engines.get(name);
    if (known !== undefined) return known;
    const imported = IMPORT[name]();
    engines.set(name, imported);
    return imported;
  };

  const IMPORT: Readonly<Record<EngineName, () => Promise<Engine>>> = {
    onnx: async () => (await import('./onnx/onnx.ts')).createOnnxEngine(),
    javascript: async () => {
      const { createJavaScriptEngine } = await import('./javascript/javascript-engine.ts');
      return createJavaScriptEngine({
        allowCustomCode,
        onnx: await engine('onnx'),
        limits: JAVASCRIPT_LIMITS,
        now,
      });
    },
    workflow: async () => (await import('./workflow/workflow.ts')).createWorkflowEngine({ engine, registry }),
  };

  const registry: Engine = {
    async load(directory: string, context: LoadContext): Promise<LoadedModel> {
      const name = chooseEngine(readdirSync(directory), context.properties.get('engine'));
      return (await engine(name)).load(directory, context);
    },
  };
  return registry;
};

/** A thread may grow as a model may; a handler may take what the door waits (28 s), and loading a little more. */
const JAVASCRIPT_LIMITS = { heapMb: 256, externalMb: 256, loadMs: 60_000, handleMs: 28_000 };

/** Loads the runtime that most models need. */
export const warmUp = async (): Promise<void> => {
  const { loadOnnxRuntime } = await import('./onnx/runtime.ts');
  loadOnnxRuntime();
};
