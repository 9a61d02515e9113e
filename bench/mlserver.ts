import { execFile, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  freePorts,
  type ModelServer,
  type ModelServerOptions,
  modelName,
  untilReady,
} from './model-server.ts';

/** MLServer has no runtime for ONNX of its own: the least that one needs, with the same options of the session as the floor's. */
const RUNTIME = `
import numpy, onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

class Onnx(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(self.settings.parameters.uri, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        return True

    async def predict(self, request: InferenceRequest) -> InferenceResponse:
        data = NumpyCodec.decode_input(request.inputs[0]).astype(numpy.float32)
        answer = self._session.run(None, {self._input: data})[0]
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("predictions", answer)])
`;

/**
 * One MLServer process (no parallel workers) with as many models, where `MLSERVER_PYTHON` or `python3` has mlserver and onnxruntime.
 * @returns `undefined` where it has not
 * @throws Error when it does not start within five minutes
 */
export const startMlServer = async (options: ModelServerOptions): Promise<ModelServer | undefined> => {
  const python = process.env['MLSERVER_PYTHON'] ?? 'python3';
  const check = 'import mlserver, onnxruntime; print(mlserver.__version__)';
  const found = await promisify(execFile)(python, ['-c', check]).catch(() => undefined);
  if (found === undefined) return undefined;

  const { directory, modelFile, models, row } = options;
  const [port = 0, grpcPort = 0, metricsPort = 0] = await freePorts(3);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'onnx_runtime.py'), RUNTIME);
  await writeFile(
    join(directory, 'settings.json'),
    JSON.stringify({
      host: '127.0.0.1',
      http_port: port,
      grpc_port: grpcPort,
      metrics_port: metricsPort,
      parallel_workers: 0,
      debug: false,
      logging_settings: { version: 1, disable_existing_loggers: true },
    }),
  );
  for (let index = 1; index <= models; index++) {
    const name = modelName(index);
    await mkdir(join(directory, name), { recursive: true });
    const settings = { name, implementation: 'onnx_runtime.Onnx', parameters: { uri: modelFile } };
    await writeFile(join(directory, name, 'model-settings.json'), JSON.stringify(settings));
  }

  const child = spawn(python, ['-c', 'from mlserver.cli import main; main()', 'start', '.'], {
    cwd: directory,
    env: { ...process.env, PYTHONPATH: directory },
    stdio: 'ignore',
  });
  const name = `MLServer ${found.stdout.trim()}`;
  const address = `http://127.0.0.1:${port}/v2`;
  await untilReady(name, child, `${address}/health/ready`);
  return { child, name, url: `${address}/models/{model}/infer`, body: inferBody(row) };
};

/** The Open Inference Protocol's form of a row. */
const inferBody = (row: readonly number[]): string =>
  JSON.stringify({
    inputs: [{ name: 'features', shape: [1, row.length], datatype: 'FP32', data: row }],
  });
