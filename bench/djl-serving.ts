import { spawn } from 'node:child_process';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  freePorts,
  type ModelServer,
  type ModelServerOptions,
  modelName,
  untilReady,
} from './model-server.ts';

/** One thread in each session, as the floor has it; nothing else differs from its defaults. */
const MODEL_PROPERTIES = `engine=OnnxRuntime
option.modelName=model
option.interOpNumThreads=1
option.intraOpNumThreads=1
`;

/**
 * DJL Serving with its OnnxRuntime engine, where `DJL_SERVING_HOME` names an unpacked one: `lib/serving-<version>.jar` with what it needs and the
 * engine beside it, `conf/log4j2.xml` for its logs as it ships them. Started as its own script starts it, with all models loaded.
 * @returns `undefined` where the variable is not set
 * @throws Error when the directory is no DJL Serving, or when it does not start within five minutes
 */
export const startDjlServing = async (options: ModelServerOptions): Promise<ModelServer | undefined> => {
  const home = process.env['DJL_SERVING_HOME'];
  if (home === undefined) return undefined;
  const jars = await readdir(join(home, 'lib')).catch(() => []);
  const version = jars.map((jar) => /^serving-(.+)\.jar$/.exec(jar)?.[1]).find((found) => found);
  if (version === undefined)
    throw new Error(`expected DJL_SERVING_HOME/lib/serving-<version>.jar in ${home}`);

  const { directory, modelFile, models, row } = options;
  const [port = 0] = await freePorts(1);
  const address = `http://127.0.0.1:${port}`;
  const urls: string[] = [];
  for (let index = 1; index <= models; index++) {
    const model = join(directory, 'models', modelName(index));
    await mkdir(model, { recursive: true });
    await copyFile(modelFile, join(model, 'model.onnx'));
    await writeFile(join(model, 'serving.properties'), MODEL_PROPERTIES);
    urls.push(`${modelName(index)}=${pathToFileURL(model).href}/`);
  }
  const config = join(directory, 'config.properties');
  await writeFile(
    config,
    `inference_address=${address}\nmanagement_address=${address}\nload_models=${urls.join(',')}\n`,
  );

  const classes = join(home, 'lib', '*');
  const logs = `-Dlog4j.configurationFile=${join(home, 'conf', 'log4j2.xml')}`;
  const child = spawn('java', [logs, '-cp', classes, 'ai.djl.serving.ModelServer', '-f', config], {
    cwd: directory,
    // The second as its script sets it.
    env: { ...process.env, MODEL_SERVER_HOME: directory, OMP_NUM_THREADS: '1' },
    stdio: 'ignore',
  });
  const name = `DJL Serving ${version}`;
  await untilReady(name, child, `${address}/ping`);
  return { child, name, url: `${address}/predictions/{model}`, body: JSON.stringify([row]) };
};
