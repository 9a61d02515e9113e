import type { Tensor, TensorSpec } from '../../engines/engine.ts';

/**
 * How a JSON answer is laid out; it mirrors the request (TensorFlow Serving's REST convention):
 * `instances` in, `predictions` out; `inputs` in, `outputs` out; a bare value in, a bare value out.
 */
export type Form = 'bare' | 'instances' | 'inputs';

export interface DecodedRequest {
  readonly tensors: readonly Tensor[];
  readonly form: Form;
}

/** One media type, both ways. Pure: bytes in, tensors out. */
export interface Codec {
  readonly mediaType: string;
  /**
   * Reads a body against what the model declares. Nothing is guessed or filled in.
   * @throws ServingError ValidationError that names the input, the index, what came and what was expected.
   */
  decode(body: string, inputs: readonly TensorSpec[]): DecodedRequest;
  encode(outputs: readonly Tensor[], form: Form): string;
}
