import { z } from 'zod';
import { STATUS } from '../errors.ts';
import {
  CUSTOM_ATTRIBUTES,
  ENDPOINT_NAME,
  INFERENCE_ID,
  PATH_MODEL,
  TARGET_MODEL,
  type TextRule,
} from '../protocol/text-rules.ts';
import { MANAGEMENT_ROUTES, type ManagementRoute } from './routes.ts';
import * as schemas from './schemas.ts';

type Json = Readonly<Record<string, unknown>>;

/** The API as an OpenAPI 3.1 document, made of what parses the requests. */
export const describeApi = (): object => ({
  openapi: '3.1.0',
  info: {
    title: 'lambda-mme',
    version: '1',
    description:
      "Models behind SageMaker's Runtime API for multi-model endpoints, the Open Inference Protocol and DJL Serving's, and their management.",
  },
  security: [{ apiKey: [] }, { signature: [] }],
  paths: mergePaths([...INFERENCE_PATHS, ...MANAGEMENT_ROUTES.map(describeRoute)]),
  components: {
    securitySchemes: {
      apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      signature: {
        type: 'apiKey',
        in: 'header',
        name: 'Authorization',
        description: 'AWS Signature Version 4, service sagemaker, as AWS SDKs sign',
      },
    },
  },
});

type PathItem = readonly [path: string, method: string, operation: Json];

const mergePaths = (items: readonly PathItem[]): Json => {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [path, method, operation] of items) paths[path] = { ...paths[path], [method]: operation };
  return paths;
};

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
};

const json = (schema: Json): Json => ({ 'application/json': { schema } });

const pathParameter = (name: string, rule: TextRule): Json => ({
  name,
  in: 'path',
  required: true,
  schema: rule,
});
const header = (name: string, rule: TextRule, required = false): Json => ({
  name,
  in: 'header',
  required,
  schema: rule,
});

const describeRoute = ({ key, summary, query, body, status, answer }: ManagementRoute): PathItem => {
  const [method = '', path = ''] = key.split(' ');
  const failure = { content: json({ anyOf: [schemaOf(schemas.error, 'output'), FRONT_DOOR_ERROR] }) };
  return [
    path,
    method.toLowerCase(),
    {
      summary,
      operationId: key.replaceAll(/[^A-Za-z]+/g, '_'),
      tags: ['management'],
      parameters: [
        ...(path.includes('{model}') ? [pathParameter('model', PATH_MODEL)] : []),
        ...Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
          name,
          in: 'query',
          required: false,
          schema: schemaOf(schema as z.ZodType, 'output'),
        })),
      ],
      ...(body === undefined
        ? {}
        : { requestBody: { required: true, content: json(schemaOf(body, 'input')) } }),
      responses: {
        [status]: {
          description: 'done',
          ...(answer === undefined ? {} : { content: json(schemaOf(answer, 'output')) }),
        },
        '4XX': { description: 'what has to change', ...failure },
        '5XX': { description: 'a fault of ours; the same request may be sent again', ...failure },
      },
    },
  ];
};

/** What any API of models may answer besides 200, by status. */
const failures = (statuses: readonly number[], schema: Json): Json =>
  Object.fromEntries(
    [...new Set(statuses)].map((status) => [
      status,
      {
        description:
          Object.entries(STATUS)
            .flatMap(([code, each]) => (each === status ? [code] : []))
            .join(', ') || 'not as expected',
        content: json({ anyOf: [schema, FRONT_DOOR_ERROR] }),
      },
    ]),
  );

const text = { type: 'string' };
/** Of API Gateway there is a message, and no more. */
const FRONT_DOOR_ERROR = { type: 'object', properties: { message: text }, required: ['message'] };
const SAGEMAKER_ERROR = {
  type: 'object',
  properties: {
    Message: text,
    OriginalStatusCode: { type: 'integer' },
    OriginalMessage: text,
    LogStreamArn: text,
  },
  required: ['Message'],
};
const OPEN_INFERENCE_ERROR = { type: 'object', properties: { error: text }, required: ['error'] };
const DJL_ERROR = {
  type: 'object',
  properties: { code: { type: 'integer' }, type: text, message: text },
  required: ['code', 'type', 'message'],
};

const ANYTHING = { '*/*': {} };
const ANSWER = { description: "the model's answer", content: ANYTHING };
/** 404 is Open Inference's; 413 and 431 are API Gateway's. */
const ALL_STATUSES = [...Object.values(STATUS), 404, 413, 431];

const modelPath = (path: string, method: string, summary: string, more: Json): PathItem => [
  path,
  method,
  {
    summary,
    tags: ['inference'],
    ...more,
    parameters: [
      pathParameter('model', PATH_MODEL),
      ...(path.includes('{version}') ? [{ name: 'version', in: 'path', required: true, schema: text }] : []),
    ],
  },
];

/** Open Inference has each of its model paths with a version as well, which means nothing here. */
const openInference = (path: string, method: string, summary: string, more: Json = {}): readonly PathItem[] =>
  ['/v2/models/{model}', '/v2/models/{model}/versions/{version}'].map((base) =>
    modelPath(base + path, method, summary, {
      ...more,
      responses: { 200: ANSWER, ...failures(ALL_STATUSES, OPEN_INFERENCE_ERROR) },
    }),
  );

const tensor = {
  type: 'object',
  properties: {
    name: text,
    datatype: text,
    shape: { type: 'array', items: { type: 'integer', minimum: 0 } },
    parameters: { type: 'object' },
    data: {},
  },
  required: ['name', 'datatype', 'shape'],
};

const open = (path: string, summary: string): PathItem => [
  path,
  'get',
  { summary, tags: ['health'], security: [], responses: { 200: { description: 'yes', content: ANYTHING } } },
];

const INFERENCE_PATHS: readonly PathItem[] = [
  [
    '/endpoints/{EndpointName}/invocations',
    'post',
    {
      summary: "SageMaker Runtime's InvokeEndpoint",
      operationId: 'InvokeEndpoint',
      tags: ['inference'],
      parameters: [
        pathParameter('EndpointName', ENDPOINT_NAME),
        header('X-Amzn-SageMaker-Target-Model', TARGET_MODEL, true),
        header('X-Amzn-SageMaker-Custom-Attributes', CUSTOM_ATTRIBUTES),
        header('X-Amzn-SageMaker-Inference-Id', INFERENCE_ID),
      ],
      requestBody: { content: ANYTHING },
      responses: { 200: ANSWER, ...failures(ALL_STATUSES, SAGEMAKER_ERROR) },
    },
  ],
  [
    '/endpoints/{EndpointName}/async-invocations',
    'post',
    {
      summary: "SageMaker Runtime's InvokeEndpointAsync",
      operationId: 'InvokeEndpointAsync',
      tags: ['inference'],
      parameters: [
        pathParameter('EndpointName', ENDPOINT_NAME),
        header('X-Amzn-SageMaker-Target-Model', TARGET_MODEL),
        header('X-Amzn-SageMaker-Custom-Attributes', CUSTOM_ATTRIBUTES),
        header('X-Amzn-SageMaker-Inference-Id', INFERENCE_ID),
        ...['InputLocation', 'Content-Type', 'Accept', 'S3OutputPathExtension', 'Filename'].map((name) => ({
          name: `X-Amzn-SageMaker-${name}`,
          in: 'header',
          required: false,
          schema: text,
        })),
        ...['RequestTTLSeconds', 'InvocationTimeoutSeconds'].map((name) => ({
          name: `X-Amzn-SageMaker-${name}`,
          in: 'header',
          required: false,
          schema: { type: 'integer' },
        })),
      ],
      requestBody: { content: ANYTHING },
      responses: {
        202: {
          description: 'The call is kept; its output or failure will be where the headers say',
          content: json({ type: 'object', properties: { InferenceId: text }, required: ['InferenceId'] }),
        },
        ...failures(ALL_STATUSES, SAGEMAKER_ERROR),
      },
    },
  ],
  ...openInference('/infer', 'post', 'Runs a model', {
    requestBody: {
      required: true,
      content: json({
        type: 'object',
        properties: {
          id: text,
          inputs: { type: 'array', items: tensor },
          outputs: {
            type: 'array',
            items: { type: 'object', properties: { name: text }, required: ['name'] },
          },
          parameters: { type: 'object' },
        },
        required: ['inputs'],
      }),
    },
  }),
  ...openInference('', 'get', 'What a model takes and gives'),
  ...openInference('/ready', 'get', 'Whether a model can be served'),
  ...['/predictions/{model}', '/models/{model}/invoke'].map((path) =>
    modelPath(path, 'post', 'Runs a model', {
      requestBody: { content: ANYTHING },
      responses: { 200: ANSWER, ...failures(ALL_STATUSES, DJL_ERROR) },
    }),
  ),
  open('/ping', 'Whether the endpoint answers'),
  open('/v2', 'What the server is'),
  open('/v2/health/live', 'Whether the server lives'),
  open('/v2/health/ready', 'Whether the server is ready'),
];
