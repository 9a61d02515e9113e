import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { linearModel } from '../fixtures/onnx-model.ts';
import { type TarEntry, tar } from '../fixtures/tar-archive.ts';
import { type Chance, damage, damageText } from './random.ts';

export interface FuzzArtifact {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly body: string;
  /** What must come of it; `undefined`: anything that is typed, as it may be another model now. */
  readonly answer?: string;
}

const LINEAR = linearModel([1, 2], 3);
const ZIP_MAP = readFileSync(join(import.meta.dirname, '../fixtures/iris-zipmap-strings.onnx'));
const WORKFLOW = JSON.stringify({
  name: 'both',
  models: { first: 'a.onnx', second: { modelUrl: 'b/model.onnx' } },
  workflow: { all: ['functionsApply', ['first', 'second'], 'in'], out: ['ensemble', 'all'] },
});
const PROPERTIES =
  'engine=OnnxRuntime\nminWorkers=1\nmaxWorkers=2\nmax_idle_time=60\noption.intraOpNumThreads=2\nunknown=1\n';

const BODY = '{"instances":[[1,10]]}';
const ANSWER = '{"predictions":[[24]]}';

interface Good {
  readonly entries: readonly TarEntry[];
  readonly body: string;
  readonly answer?: string;
}

const good = (random: Chance): Good =>
  random.pick<Good>([
    { entries: [{ path: 'model.onnx', content: LINEAR }], body: BODY, answer: ANSWER },
    {
      entries: [
        { path: './', flag: '5' },
        { path: './model.onnx', content: LINEAR },
        { path: './serving.properties', content: PROPERTIES },
      ],
      body: BODY,
      answer: ANSWER,
    },
    { entries: [{ path: 'model.onnx', content: ZIP_MAP }], body: '{"instances":[[5.1,3.5,1.4,0.2]]}' },
    {
      entries: [
        { path: 'workflow.json', content: WORKFLOW },
        { path: 'a.onnx', content: LINEAR },
        { path: 'b/model.onnx', content: linearModel([1, 2], 5) },
      ],
      body: BODY,
      answer: '{"predictions":[[25]]}',
    },
  ]);

const HOSTILE: readonly [TarEntry, ...TarEntry[]] = [
  { path: '../evil', content: 'x' },
  { path: '/etc/evil', content: 'x' },
  { path: 'a/../../evil', content: 'x' },
  { path: 'link', flag: '2', linkTarget: '/etc/passwd' },
  { path: 'hard', flag: '1', linkTarget: 'model.onnx' },
  { path: 'device', flag: '3' },
  { path: 'pipe', flag: '6' },
  { path: 'MODEL.ONNX', content: 'x' },
  { path: 'model.onnx/inside', content: 'x' },
  { path: 'C:\\evil', content: 'x' },
  { path: 'long', content: 'x', sizeBytes: 8 ** 10 },
  { path: 'bomb', content: Buffer.alloc(3_000_000) },
  { path: 'model.py', content: 'import os' },
  { path: 'model.mjs', content: 'process.exit(1)' },
  { path: 'other.onnx', content: LINEAR },
  { path: 'PaxHeader', flag: 'x', content: '30 path=../../evil/in/a/header\n' },
  { path: 'GlobalHeader', flag: 'g', content: '20 path=/etc/passwd\n' },
  { path: 'x'.repeat(99), content: 'x' },
];

/** An artifact, whole or spoilt in one of many ways. */
export const fuzzArtifact = (random: Chance, number: number): FuzzArtifact => {
  const { entries, body, answer } = good(random);
  const name = `fuzz-${number}.tar.gz`;
  const whole = (changed: readonly TarEntry[]): Uint8Array => gzipSync(tar(changed), { level: 1 });
  switch (random.below(9)) {
    case 0:
      return { name, bytes: whole(entries), body, ...(answer === undefined ? {} : { answer }) };
    case 1:
      return { name, bytes: damage(whole(entries), random), body };
    case 2:
      return { name, bytes: gzipSync(damage(tar(entries), random), { level: 1 }), body };
    case 3: {
      const at = random.below(entries.length + 1);
      return {
        name,
        bytes: whole([...entries.slice(0, at), random.pick(HOSTILE), ...entries.slice(at)]),
        body,
      };
    }
    case 4:
      return { name, bytes: whole(entries.map((entry) => spoilText(entry, random))), body };
    case 5:
      return { name, bytes: whole(entries.map((entry) => spoilModel(entry, random))), body };
    case 6:
      return { name: `fuzz-${number}.onnx`, bytes: damage(random.pick([LINEAR, ZIP_MAP]), random), body };
    case 7:
      return { name, bytes: random.bytes(random.below(2000)), body };
    default:
      return { name, bytes: whole(entries.filter(() => random.fraction() < 0.6)), body };
  }
};

const spoilText = (entry: TarEntry, random: Chance): TarEntry =>
  typeof entry.content === 'string' ? { ...entry, content: damageText(entry.content, random) } : entry;

const spoilModel = (entry: TarEntry, random: Chance): TarEntry =>
  entry.content instanceof Uint8Array ? { ...entry, content: damage(entry.content, random) } : entry;
