import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuTimeMs } from './cpu-time.ts';
import { coldModel, startEndpoint } from './endpoint.ts';
import { median } from './statistics.ts';

const TURNS = 15;

export interface FirstAnswer {
  /** From Invoke to its answer, the start of the process, onnxruntime, GET and session.create included. */
  readonly ms: number;
  /** Of the environment, until then. */
  readonly cpuMs: number;
  /** By system calls, files and pipes; what is mapped into memory (node itself, onnxruntime's library) is not among it. */
  readonly readBytes: number;
}

/** Invokes a worker that has no environment, again and again, in a local cloud of its own. */
export const measureFirstAnswer = async (body: string, say: (text: string) => void): Promise<FirstAnswer> => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-first-'));
  const { cloud } = await startEndpoint({ directory, models: 0, coldModels: 1, say });
  const functionName = cloud.deployment.functions.find(({ name }) => name.endsWith('-cold-00'))?.name ?? '';
  const call = {
    model: coldModel(1),
    contentType: 'application/json',
    body,
    isBase64Encoded: false,
  };
  const environment = (): number | undefined =>
    cloud.lambda.status().find((each) => each.functionName === functionName)?.pid;

  const turns: FirstAnswer[] = [];
  try {
    for (let turn = 0; turn < TURNS; turn++) {
      const startedMs = performance.now();
      const { payload } = await cloud.lambda.invoke({ functionName, payload: JSON.stringify(call) });
      const ms = performance.now() - startedMs;
      if (!(JSON.parse(payload) as { ok: boolean }).ok) throw new Error(payload);
      const pid = environment();
      if (pid === undefined) throw new Error(`${functionName} has no environment after its answer`);
      turns.push({ ms, cpuMs: await cpuTimeMs(pid), readBytes: await readBytesOf(pid) });
      process.kill(pid, 'SIGKILL');
      while (environment() !== undefined) await sleep(20);
    }
  } finally {
    await cloud.close();
    await rm(directory, { recursive: true, force: true });
  }
  // The first finds nothing compiled.
  const rest = turns.slice(1);
  return {
    ms: median(rest.map(({ ms }) => ms)),
    cpuMs: median(rest.map(({ cpuMs }) => cpuMs)),
    readBytes: median(rest.map(({ readBytes }) => readBytes)),
  };
};

/** proc(5): rchar is what read(2) and the like have given; 0 where there is no such file. */
const readBytesOf = async (pid: number): Promise<number> => {
  const io = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
  return Number(/^rchar: (\d+)/m.exec(io)?.[1] ?? 0);
};
