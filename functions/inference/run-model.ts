import type { Document, LoadedModel, RunContext, Tensor, Value } from '../../lib/engines/engine.ts';
import type { Codec, DecodedRequest, Encoded, RequestBody } from '../../lib/protocol/codecs/codec.ts';
import { decodeDocument, encodeDocument } from '../../lib/protocol/codecs/document.ts';
import { answerCodec, requestCodec } from '../../lib/protocol/codecs/registry.ts';

export interface ModelRequest {
  readonly model: string;
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
  readonly body: RequestBody;
}

/** What a request is to a model that declares its tensors. */
export interface TensorRequest {
  readonly decoded: DecodedRequest;
  readonly encode: (value: Value) => Encoded;
}

/** @throws ServingError ValidationError for a body or a type that does not fit */
export const readTensors = (
  { model, contentType, accept, body }: ModelRequest,
  inputs: NonNullable<LoadedModel['inputs']>,
): TensorRequest => {
  const decoder = requestCodec(contentType);
  const encoder = answerCodec(accept, decoder);
  const decoded = decoder.decode(body, inputs);
  return { decoded, encode: encodeWith(encoder, decoded, model, accept) };
};

const encodeWith =
  (encoder: Codec, { form }: DecodedRequest, model: string, accept: string | undefined) =>
  (value: Value): Encoded =>
    isDocument(value) ? encodeDocument(value, accept) : encoder.encode(value, form, model);

/** What a model that declares its tensors takes is checked against them; one that does not gets what was sent. */
export const runModel = async (
  loaded: LoadedModel,
  request: ModelRequest,
  context: RunContext,
): Promise<Encoded> => {
  if (loaded.inputs !== undefined) {
    const { decoded, encode } = readTensors(request, loaded.inputs);
    return encode(await loaded.run(decoded.tensors, context));
  }
  const { model, contentType, accept, body } = request;
  const value = await loaded.run(decodeDocument(body, contentType), context);
  return isDocument(value) ? encodeDocument(value, accept) : answerCodec(accept).encode(value, 'bare', model);
};

export const isDocument = (value: Value): value is Document => 'document' in value;

export const isTensors = (value: Value): value is readonly Tensor[] => !isDocument(value);
