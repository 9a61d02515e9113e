import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

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

const START_WITHIN_MS = 300_000;

export interface MlServer {
  readonly child: ChildProcess;
  readonly version: string;
  /** With `{model}` in it. */
  readonly url: string;
}

/**
 * One MLServer process (no parallel workers) with as many models, where `MLSERVER_PYTHON` or `python3` has mlserver and onnxruntime.
 * @returns `undefined` where it has not
 * @throws Error when it does not start within five minutes
 */
export const startMlServer = async (
  directory: string,
  modelFile: string,
  models: number,
): Promise<MlServer | undefined> => {
  const python = process.env['MLSERVER_PYTHON'] ?? 'python3';
  const check = 'import mlserver, onnxruntime; print(mlserver.__version__)';
  const found = await promisify(execFile)(python, ['-c', check]).catch(() => undefined);
  if (found === undefined) return undefined;

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
    const name = `diabetes-${String(index).padStart(4, '0')}`;
    await mkdir(join(directory, name), { recursive: true });
    const settings = { name, implementation: 'onnx_runtime.Onnx', parameters: { uri: modelFile } };
    await writeFile(join(directory, name, 'model-settings.json'), JSON.stringify(settings));
  }

  const child = spawn(python, ['-c', 'from mlserver.cli import main; main()', 'start', '.'], {
    cwd: directory,
    env: { ...process.env, PYTHONPATH: directory },
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  const untilMs = Date.now() + START_WITHIN_MS;
  while (!(await isReady(url))) {
    if (child.exitCode !== null || Date.now() > untilMs) {
      child.kill();
      throw new Error(
        `MLServer did not start with ${models} models: without MLSERVER_PYTHON the bench goes without it`,
      );
    }
    await sleep(500);
  }
  return { child, version: found.stdout.trim(), url: `${url}/v2/models/{model}/infer` };
};

const isReady = async (url: string): Promise<boolean> => {
  const response = await fetch(`${url}/v2/health/ready`).catch(() => undefined);
  await response?.text();
  return response?.ok === true;
};

/** The Open Inference Protocol's form of a row. */
export const mlServerBody = (row: readonly number[]): string =>
  JSON.stringify({
    inputs: [{ name: 'features', shape: [1, row.length], datatype: 'FP32', data: row }],
  });

const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.once('listening', () => resolve((server.address() as AddressInfo).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
};
