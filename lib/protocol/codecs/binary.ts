import { isUtf8 } from 'node:buffer';
import { type Codec, isOpenInference } from './codec.ts';
import { describeValue, invalidInput } from './invalid-input.ts';
import { parseJson } from './json.ts';
import { BINARY_MEDIA_TYPE, encodeOpenInference, readOpenInference } from './open-inference.ts';

/** Where it is no JSON, its end was most likely miscounted. */
const readHeader = (bytes: Uint8Array, headerBytes: number): unknown => {
  try {
    const header = bytes.subarray(0, headerBytes);
    if (!isUtf8(header)) throw invalidInput('the JSON before the bytes is not UTF-8');
    return parseJson(Buffer.from(header).toString());
  } catch (error) {
    const { message } = error as Error;
    throw invalidInput(
      `${message}; the JSON should be the first ${headerBytes} bytes, as json-header-size in the Content-Type says`,
    );
  }
};

/**
 * Tensors as bytes, without text: the Open Inference Protocol's JSON, then the elements of each tensor, little-endian. The
 * media type is that of SageMaker's Triton container, and `json-header-size` in it says where the JSON ends.
 * `tritonclient.http.InferenceServerClient.generate_request_body` writes such bodies.
 */
export const binaryCodec: Codec = {
  mediaType: BINARY_MEDIA_TYPE,

  decode(body, inputs) {
    const bytes = body.bytes();
    const size = body.parameter('json-header-size');
    // Digits only: Number reads 0x1f, 1e2 and nothing at all as well.
    const headerBytes =
      size === undefined ? bytes.length : /^\d{1,10}$/.test(size) ? Number(size) : Number.NaN;
    if (!(headerBytes <= bytes.length)) {
      throw invalidInput(
        `json-header-size in the Content-Type should be the length of the JSON in bytes, at most the ${bytes.length} of the body, but is ${describeValue(size)}`,
      );
    }
    const header = readHeader(bytes, headerBytes);
    if (typeof header !== 'object' || header === null || Array.isArray(header)) {
      throw invalidInput(`the JSON should be an object with inputs, but is ${describeValue(header)}`);
    }
    return readOpenInference(header as Record<string, unknown>, inputs, bytes.subarray(headerBytes));
  },

  encode(outputs, form, model) {
    // Whoever asks for this type, or sends it, wants bytes where nothing else is said.
    return encodeOpenInference(outputs, { isBinary: true, ...(isOpenInference(form) ? form : {}) }, model);
  },
};
