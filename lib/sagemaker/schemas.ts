import { z } from 'zod';

/** Members that nothing here acts on are let through, and shown again: a notebook that runs on SageMaker is not to be changed for them. */
const given = z.looseObject;

/** As SageMaker has it: 1 to 63 letters, digits and hyphens, neither first nor last a hyphen. */
const name = z
  .string()
  .max(63)
  .regex(/^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/, 'should be letters, digits and hyphens inside');

const container = given({
  Mode: z.string().optional(),
  ModelDataUrl: z.string().max(1024).optional(),
});

export const createModel = given({
  ModelName: name,
  PrimaryContainer: container.optional(),
  Containers: z.array(container).max(15).optional(),
});

const variant = given({ VariantName: name, ModelName: name });

export const createEndpointConfig = given({
  EndpointConfigName: name,
  ProductionVariants: z.array(variant).min(1).max(10),
  AsyncInferenceConfig: given({
    OutputConfig: given({ S3OutputPath: z.string().max(1024).optional() }),
  }).optional(),
});

export const createEndpoint = given({ EndpointName: name, EndpointConfigName: name });
export const modelName = given({ ModelName: name });
export const endpointConfigName = given({ EndpointConfigName: name });
export const endpointName = given({ EndpointName: name });

/** SageMaker writes times as seconds since 1970. */
const time = z.number().optional();

export const listInput = given({
  NameContains: z.string().max(63).optional(),
  MaxResults: z.int().min(1).max(100).default(10),
  NextToken: z.string().max(8192).optional(),
  SortBy: z.enum(['Name', 'CreationTime', 'Status']).default('CreationTime'),
  SortOrder: z.enum(['Ascending', 'Descending']).default('Descending'),
  CreationTimeBefore: time,
  CreationTimeAfter: time,
  StatusEquals: z.string().optional(),
});
export type ListInput = z.infer<typeof listInput>;
