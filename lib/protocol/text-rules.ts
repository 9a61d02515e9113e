/** What a short text may be; the words are JSON Schema's, so that the rule that is checked is the one that is published. */
export interface TextRule {
  readonly type: 'string';
  readonly minLength: number;
  readonly maxLength: number;
  readonly pattern: string;
  readonly description: string;
}

const text = (maxLength: number, pattern: string, description: string): TextRule => ({
  type: 'string',
  minLength: 1,
  maxLength,
  pattern,
  description,
});

const VISIBLE = '^[\\x20-\\x7e]*$';

/** As SageMaker Runtime has them (botocore, sagemaker-runtime 2017-05-13). */
export const ENDPOINT_NAME = text(63, '^[a-zA-Z0-9](-*[a-zA-Z0-9])*$', 'EndpointName');
export const CUSTOM_ATTRIBUTES = text(1024, VISIBLE, 'CustomAttributes: for model.mjs, as they are');
export const INFERENCE_ID = text(64, VISIBLE, "InferenceId: names the call in the worker's log");

export const TARGET_MODEL = text(
  1024,
  '\\.(tar\\.gz|onnx)$',
  "TargetModel: the key of the object below the endpoint's prefix",
);

/** Of a path: slashes are `~1`, tildes `~0`, and the ending may be left out. */
export const PATH_MODEL = text(
  1024,
  '^(?!\\s)(?!~1)(?!(.*~1)?\\.\\.(~1|$))([^~/\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]|~[01])*$',
  'The name of a model; a slash of it is written ~1 and a tilde ~0, and .tar.gz may be left out',
);

export const fits = (value: string, { minLength, maxLength, pattern }: TextRule): boolean =>
  value.length >= minLength && value.length <= maxLength && new RegExp(pattern).test(value);
