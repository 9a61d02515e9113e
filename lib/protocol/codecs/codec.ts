import type { Tensor, TensorSpec } from '../../engines/engine.ts';

/**
 * How a JSON answer is laid out; it mirrors the request (TensorFlow Serving's REST convention):
 * `instances` in, `predictions` out; `inputs` in, `outputs` out; a bare value in, a bare value out.
 */
export type Form = 'bare' | 'instances' | 'inputs' | OpenInferenceForm;

/** What a request of the Open Inference Protocol (version 2) says of its answer. */
export interface OpenInferenceForm {
  readonly id?: string;
  /** The outputs asked for, in this order; all where the request names none. */
  readonly outputs?: readonly { readonly name: string; readonly isBinary?: boolean }[];
  /** `binary_data_output`: whether outputs come as bytes that do not say it themselves. */
  readonly isBinary?: boolean;
}

export const isOpenInference = (form: Form): form is OpenInferenceForm => typeof form === 'object';

/** A body as it came, as text or as bytes; the other is made only where it is asked for. */
export interface RequestBody {
  /** @throws ServingError ValidationError for bytes that are no UTF-8: replacing them would change what was sent. */
  text(): string;
  bytes(): Uint8Array;
  /** Of the Content-Type, e.g. `json-header-size`. */
  parameter(name: string): string | undefined;
}

export interface DecodedRequest {
  readonly tensors: readonly Tensor[];
  readonly form: Form;
}

export interface Encoded {
  readonly contentType: string;
  readonly body: string | Uint8Array;
}

/** One media type, both ways. Pure: bytes in, tensors out. */
export interface Codec {
  readonly mediaType: string;
  /**
   * Reads a body against what the model declares. Nothing is guessed or filled in.
   * @throws ServingError ValidationError that names the input, the index, what came and what was expected.
   */
  decode(body: RequestBody, inputs: readonly TensorSpec[]): DecodedRequest;
  /** @param model what the answer calls the model, where its format has a place for that */
  encode(outputs: readonly Tensor[], form: Form, model: string): Encoded;
}
