import { describe, expect, it } from 'vitest';
import { parseWorkflow } from '../../../../lib/engines/workflow/parse-workflow.ts';

const parse = (workflow: unknown) => parseWorkflow(JSON.stringify(workflow));
const ONE = { models: { m: 'm.onnx' }, workflow: { out: ['m', 'in'] } };

describe('parseWorkflow', () => {
  it("reads DJL Serving's ensemble", () => {
    const { parts, values } = parse({
      models: { m1: 'a.onnx', m2: { modelUrl: 'b.onnx' } },
      workflow: { out: ['ensemble', ['functionsApply', ['m1', 'm2'], 'in']] },
    });

    expect([...parts]).toEqual([
      ['m1', 'a.onnx'],
      ['m2', 'b.onnx'],
    ]);
    expect(values.get('out')).toEqual({
      kind: 'step',
      step: 'ensemble',
      args: [{ kind: 'each', steps: ['m1', 'm2'], arg: { kind: 'value', name: 'in' } }],
    });
  });

  it.each([
    ['m.onnx', undefined, 'm.onnx'],
    ['./m.onnx', undefined, 'm.onnx'],
    ['{model_dir}/m.onnx', 'parts', 'm.onnx'],
    ['m.onnx', 'parts', 'parts/m.onnx'],
    ['m.onnx', '{model_dir}', 'm.onnx'],
    ['m.onnx', '{model_dir}/a/b/', 'a/b/m.onnx'],
    ['tenant-7/churn.tar.gz', undefined, 'tenant-7/churn.tar.gz'],
  ])('finds the part %s below the base %s at %s', (place, baseUri, expected) => {
    const { parts } = parse({ ...ONE, models: { m: place }, ...(baseUri && { baseUri }) });

    expect(parts.get('m')).toBe(expected);
  });

  it.each<[string, unknown, string]>([
    ['a key that is none', { ...ONE, model: {} }, 'has "model", which is no key of a workflow'],
    ['no workflow', { models: {} }, 'workflow should be an object, but is missing'],
    ['no answer', { ...ONE, workflow: { x: ['m', 'in'] } }, 'should define "out"'],
    [
      'the request defined',
      { ...ONE, workflow: { in: ['m', 'in'], out: 'in' } },
      'defines "in", which is the request',
    ],
    [
      'a step that is nowhere',
      { ...ONE, workflow: { out: ['n', 'in'] } },
      'workflow.out names "n", which is neither a model nor a function: there are m, id, ensemble, functionsApply',
    ],
    [
      'a value that is nowhere',
      { ...ONE, workflow: { out: ['m', 'x'] } },
      'workflow.out needs "x", which is not defined: there are in, out',
    ],
    [
      'a value that needs itself',
      { ...ONE, workflow: { a: ['m', 'b'], b: ['m', 'a'], out: 'a' } },
      'has a cycle: a -> b -> a',
    ],
    [
      'a prototype as a value',
      { ...ONE, workflow: { out: ['m', 'constructor'] } },
      'needs "constructor", which is not defined',
    ],
    ['a prototype as a step', { ...ONE, workflow: { out: ['toString', 'in'] } }, 'names "toString"'],
    [
      'a step without an argument',
      { ...ONE, workflow: { out: ['m'] } },
      "should be a value's name, or [step, argument, ...]",
    ],
    ['a number for a value', { ...ONE, workflow: { out: 5 } }, "workflow.out should be a value's name"],
    ['id of two', { ...ONE, workflow: { out: ['id', 'in', 'in'] } }, 'id takes one argument, but got 2'],
    [
      'functionsApply of no list',
      { ...ONE, workflow: { out: ['functionsApply', 'm', 'in'] } },
      'should be ["functionsApply", [step, ...], argument]',
    ],
    [
      'a model from elsewhere',
      { ...ONE, models: { m: 'https://example.com/m.onnx' } },
      'models are not fetched from elsewhere',
    ],
    [
      'a model of a zoo',
      { ...ONE, models: { m: 'djl://ai.djl.zoo/mlp/0.0.3/mlp' } },
      'models are not fetched from elsewhere',
    ],
    ['a Java class', { ...ONE, functions: { f: 'com.example.Aggregator' } }, 'Java classes do not run here'],
    [
      'criteria that mean nothing',
      { ...ONE, models: { m: { modelUrl: 'm.onnx', application: 'cv' } } },
      'has "application", which means nothing here',
    ],
    ['a path that climbs out', { ...ONE, models: { m: '../m.onnx' } }, 'should be a path within the archive'],
    ['a base that climbs out', { ...ONE, baseUri: '../x' }, 'baseUri should be a folder of the archive'],
    [
      'a name that is taken',
      { models: { id: 'm.onnx' }, workflow: { out: ['id', 'in'] } },
      'calls a model "id", which is a step of its own',
    ],
    [
      'too many models',
      {
        models: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`m${n}`, 'm.onnx'])),
        workflow: { out: ['m0', 'in'] },
      },
      'has 65 models and functions: at most 64',
    ],
    [
      'too many steps',
      { ...ONE, workflow: { out: ['ensemble', ...Array.from({ length: 257 }, () => ['m', 'in'])] } },
      'has more than 256 steps',
    ],
  ])('refuses %s', (_, workflow, message) => {
    expect(() => parse(workflow)).toThrow(
      expect.objectContaining({ code: 'ModelError', message: expect.stringContaining(message) }),
    );
  });

  it('refuses what is nested without end, in the text and in its steps', () => {
    const deep = Array.from({ length: 40 }).reduce<unknown>((inner) => ['m', inner], 'in');

    expect(() => parse({ ...ONE, workflow: { out: deep } })).toThrow('is nested deeper than 32');
    expect(() => parseWorkflow('{"workflow":'.padEnd(100_000, '['))).toThrow('is not JSON');
  });
});
