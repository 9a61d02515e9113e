import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TensorSpec } from '../../../../lib/engines/engine.ts';
import { binaryCodec } from '../../../../lib/protocol/codecs/binary.ts';
import type { DecodedRequest } from '../../../../lib/protocol/codecs/codec.ts';
import { jsonCodec } from '../../../../lib/protocol/codecs/json.ts';
import { requestBody } from '../../../../lib/protocol/codecs/request-body.ts';
import { decodeText, encodeText } from '../../../fixtures/codecs.ts';
import { anyTensor, spec, tensor, tensorTypes } from '../../../fixtures/tensors.ts';

const x = { name: 'x', shape: [2, 2], datatype: 'FP32', data: [1, 2, 3, 4] };
const decode = (request: object, ...inputs: readonly TensorSpec[]): DecodedRequest =>
  decodeText(jsonCodec, JSON.stringify(request), inputs.length === 0 ? [spec()] : inputs);

/** A body of the binary media type: the JSON, then the bytes. */
const decodeBinary = (
  request: object,
  bytes: Uint8Array,
  inputs: readonly TensorSpec[] = [spec()],
  size?: string,
) => {
  const json = Buffer.from(JSON.stringify(request));
  const body = Buffer.concat([json, bytes]).toString('base64');
  const contentType = `${binaryCodec.mediaType};json-header-size=${size ?? json.length}`;
  return binaryCodec.decode(requestBody(body, true, contentType), inputs);
};

describe('a JSON request of the Open Inference Protocol', () => {
  it.each([
    ['flat data', x],
    [
      'nested data',
      {
        ...x,
        data: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
  ])('is read: %s', (_, input) => {
    expect(decode({ id: '7', inputs: [input] })).toEqual({
      tensors: [{ name: 'x', type: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
      form: { id: '7' },
    });
  });

  it('may name its inputs in any order, and the outputs it wants', () => {
    const ids = { name: 'ids', shape: [1], datatype: 'INT64', data: ['9223372036854775807'] };
    const request = {
      inputs: [ids, x],
      outputs: [{ name: 'y' }, { name: 'z', parameters: { binary_data: true } }],
    };

    const { tensors, form } = decode(
      request,
      spec(),
      spec({ name: 'ids', type: 'int64', shape: [undefined] }),
    );

    expect(tensors.map(({ name }) => name)).toEqual(['x', 'ids']);
    expect(form).toEqual({ outputs: [{ name: 'y' }, { name: 'z', isBinary: true }] });
  });

  it.each<[string, object, string]>([
    ['another name', { ...x, name: 'z' }, 'inputs[0] names "z", which is no input of the model: it has x'],
    [
      'another type',
      { ...x, datatype: 'FP64' },
      'inputs[0]: datatype should be FP32 (input x is float32), but is "FP64"',
    ],
    [
      'no shape',
      { ...x, shape: undefined },
      'inputs[0]: shape should be an array of sizes, for example [1, 10], but is nothing',
    ],
    [
      'a negative size',
      { ...x, shape: [-1, 2] },
      'shape should be an array of sizes, for example [1, 10], but is an array of 2',
    ],
    ['a huge shape', { ...x, shape: [2 ** 30, 2 ** 30] }, 'shape should be an array of sizes'],
    [
      'another rank',
      { ...x, shape: [4] },
      'inputs[0] has the shape [4], but should have 2 dimensions (input x has the shape [any, 2])',
    ],
    ['another size', { ...x, shape: [1, 4] }, 'inputs[0] has the shape [1, 4], but dimension 1 should be 2'],
    [
      'an empty dimension',
      { ...x, shape: [0, 2], data: [] },
      'inputs[0] has the shape [0, 2], which is empty',
    ],
    [
      'too little data',
      { ...x, data: [1] },
      'inputs[0].data has 1 values, but the shape [2, 2] has 4 (input x)',
    ],
    [
      'data that is ragged',
      { ...x, data: [[1, 2], [3]] },
      'inputs[0].data[1] has 1 values, but inputs[0].data[0] has 2',
    ],
    ['an element of another kind', { ...x, data: [1, 2, null, 4] }, 'inputs[0].data[2] should be a number'],
    ['no data', { ...x, data: 'AAAA' }, 'inputs[0]: data should be an array, but is "AAAA"'],
    [
      'bytes where there are none',
      { ...x, parameters: { binary_data_size: 16 } },
      'at most the 0 that are left in the body, but is 16',
    ],
  ])('is refused: %s', (_, input, message) => {
    expect(() => decode({ inputs: [input] })).toThrow(
      expect.objectContaining({ code: 'ValidationError', message: expect.stringContaining(message) }),
    );
  });

  it.each<[object, string]>([
    [{ inputs: [x, x] }, 'inputs names "x" twice'],
    [{ inputs: [x, 5] }, 'inputs[1] should be an object, but is 5'],
    [{ inputs: [x], id: 5 }, 'id should be a string, but is 5'],
    [{ inputs: [x], outputs: 'y' }, 'outputs should be an array, but is "y"'],
    [{ inputs: [x], outputs: [{ name: 'y' }, { name: 'y' }] }, 'outputs names "y" twice'],
    [{ inputs: [x], outputs: [{}] }, 'outputs[0] should be an object with a name, but is an object'],
  ])('is refused as a whole: %j', (request, message) => {
    expect(() => decode(request)).toThrow(message);
  });

  it('is refused where an input is missing', () => {
    expect(() => decode({ inputs: [x] }, spec(), spec({ name: 'mask' }))).toThrow(
      'inputs lacks mask: the model has x, mask',
    );
  });
});

describe('an answer of the Open Inference Protocol', () => {
  const label = tensor(['a', 'b'], [2], { name: 'label', type: 'string' });
  const probabilities = tensor(Float32Array.of(0.5, Number.NaN), [1, 2], {
    name: 'p',
    labels: ['no', 'yes'],
  });

  it('has the model, the id, and the data of each output', () => {
    expect(JSON.parse(encodeText(jsonCodec, [label, probabilities], { id: '7', isBinary: false }))).toEqual({
      model_name: 'm.tar.gz',
      id: '7',
      outputs: [
        { name: 'label', shape: [2], datatype: 'BYTES', data: ['a', 'b'] },
        {
          name: 'p',
          shape: [1, 2],
          datatype: 'FP32',
          parameters: { labels: '["no","yes"]' },
          data: [0.5, 'NaN'],
        },
      ],
    });
  });

  it('has only the outputs that were asked for', () => {
    const form = { isBinary: false, outputs: [{ name: 'label', isBinary: false }] };

    expect(JSON.parse(encodeText(jsonCodec, [label, probabilities], form))).toMatchObject({
      outputs: [{ name: 'label' }],
    });
    expect(() =>
      encodeText(jsonCodec, [label], { isBinary: false, outputs: [{ name: 'q', isBinary: false }] }),
    ).toThrow('outputs names "q", but the model gives label');
  });

  it('has bytes only where the Accept allows them', () => {
    const form = { isBinary: true };

    expect(jsonCodec.encode([label], form, 'm').contentType).toBe('application/json');
    expect(binaryCodec.encode([label], form, 'm').contentType).toMatch(/;json-header-size=\d+$/);
    expect(binaryCodec.encode([label], {}, 'm').contentType).toMatch(/;json-header-size=\d+$/);
    expect(binaryCodec.encode([label], { isBinary: false }, 'm').contentType).toBe('application/json');
    expect(
      binaryCodec.encode([label], { outputs: [{ name: 'label', isBinary: false }] }, 'm').contentType,
    ).toBe('application/json');
  });
});

describe('the binary form', () => {
  it.each(tensorTypes)('carries any tensor of %s there and back', (type) => {
    fc.assert(
      fc.property(anyTensor(type, fc.integer({ min: 0, max: 4 })), (sent) => {
        const { contentType, body } = binaryCodec.encode([sent], 'bare', 'm');
        const size = /json-header-size=(\d+)/.exec(contentType)?.[1];
        const bytes = Buffer.from(body);
        const answer = JSON.parse(bytes.subarray(0, Number(size)).toString()) as { outputs: object[] };
        const request = requestBody(
          Buffer.concat([
            Buffer.from(JSON.stringify({ inputs: answer.outputs })),
            bytes.subarray(Number(size)),
          ]).toString('base64'),
          true,
          `${binaryCodec.mediaType};json-header-size=${JSON.stringify({ inputs: answer.outputs }).length}`,
        );

        expect(binaryCodec.decode(request, [{ name: 'x', type, shape: sent.shape }]).tensors).toEqual([sent]);
      }),
    );
  });

  it('takes some inputs as bytes and others as JSON', () => {
    const bytes = new Uint8Array(Float32Array.of(1, 2).buffer);
    const inputs = [spec(), spec({ name: 'k', type: 'int8', shape: [1] })];
    const request = {
      inputs: [
        { name: 'k', shape: [1], datatype: 'INT8', data: [5] },
        { name: 'x', shape: [1, 2], datatype: 'FP32', parameters: { binary_data_size: 8 } },
      ],
    };

    expect(decodeBinary(request, bytes, inputs).tensors.map(({ data }) => data)).toEqual([
      Float32Array.of(1, 2),
      Int8Array.of(5),
    ]);
  });

  const binary = { name: 'x', shape: [1, 2], datatype: 'FP32', parameters: { binary_data_size: 8 } };
  const flags = { name: 'x', shape: [2], datatype: 'BOOL', parameters: { binary_data_size: 2 } };
  const words = { name: 'x', shape: [1], datatype: 'BYTES', parameters: { binary_data_size: 6 } };

  it.each<[string, object, number[], readonly TensorSpec[], string]>([
    [
      'too few bytes',
      binary,
      [1, 2],
      [spec()],
      'binary_data_size should be a number of bytes, at most the 2 that are left',
    ],
    [
      'bytes left over',
      binary,
      Array(9).fill(0),
      [spec()],
      "has 9 bytes after its JSON, but the inputs' binary_data_size add up to 8",
    ],
    [
      'a size that is not that of the shape',
      { ...binary, parameters: { binary_data_size: 4 } },
      Array(4).fill(0),
      [spec()],
      'inputs[0] (input x) has 4 bytes, but 2 elements of float32 take 8',
    ],
    [
      'a bool that is neither',
      flags,
      [1, 2],
      [spec({ type: 'bool', shape: [2] })],
      'element 1 should be 0 or 1 (bool), but is 2',
    ],
    [
      'a string cut off',
      words,
      [9, 0, 0, 0, 65, 65],
      [spec({ type: 'string', shape: [1] })],
      'string 0 is cut off',
    ],
    [
      'a string that is not UTF-8',
      words,
      [2, 0, 0, 0, 255, 255],
      [spec({ type: 'string', shape: [1] })],
      'string 0 is not UTF-8',
    ],
    [
      'too many strings',
      { ...words, parameters: { binary_data_size: 8 } },
      Array(8).fill(0),
      [spec({ type: 'string', shape: [1] })],
      'has 2 strings, but its shape has 1',
    ],
  ])('is refused: %s', (_, input, bytes, inputs, message) => {
    expect(() => decodeBinary({ inputs: [input] }, Uint8Array.from(bytes), inputs)).toThrow(message);
  });

  it.each(['-1', '1000', 'x', '', '0x10', '1e1', '+10', '10.0', '99999999999'])(
    'is refused with the json-header-size %s',
    (size) => {
      expect(() => decodeBinary({ inputs: [x] }, new Uint8Array(), [spec()], size)).toThrow(
        /^json-header-size in the Content-Type should be the length of the JSON in bytes/,
      );
    },
  );

  it.each(['[]', '5', 'null'])('is refused where its JSON is %s', (json) => {
    const body = requestBody(json, false, binaryCodec.mediaType);

    expect(() => binaryCodec.decode(body, [spec()])).toThrow('the JSON should be an object with inputs');
  });
});
