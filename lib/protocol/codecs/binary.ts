import { type Codec, isOpenInference } from './codec.ts';
import { describeValue, invalidInput } from './invalid-input.ts';
import { parseJson } from './json.ts';
import { BINARY_MEDIA_TYPE, encodeOpenInference, readOpenInference } from './open-inference.ts';

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
    const headerBytes = size === undefined ? bytes.length : Number(size);
    if (!Number.isSafeInteger(headerBytes) || headerBytes < 0 || headerBytes > bytes.length) {
      throw invalidInput(
        `json-header-size in the Content-Type should be the length of the JSON in bytes, at most the ${bytes.length} of the body, but is ${describeValue(size)}`,
      );
    }
    const header = parseJson(Buffer.from(bytes.subarray(0, headerBytes)).toString());
    if (typeof header !== 'object' || header === null || Array.isArray(header)) {
      throw invalidInput(`the JSON should be an object with inputs, but is ${describeValue(header)}`);
    }
    return readOpenInference(header as Record<string, unknown>, inputs, bytes.subarray(headerBytes));
  },

  encode(outputs, form, model) {
    return encodeOpenInference(outputs, isOpenInference(form) ? form : { isBinary: true }, model);
  },
};
