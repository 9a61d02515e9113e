import { delimiter } from 'node:path';
import type { FunctionConfig } from './function-config.ts';

export interface EnvironmentIdentity {
  readonly config: FunctionConfig;
  readonly version: string;
  /** Started ahead of calls, for provisioned concurrency. */
  readonly provisioned: boolean;
  readonly id: string;
  /** Its private /tmp. */
  readonly scratch: string;
  /** Where Node keeps compiled code for the next start; shared by all. */
  readonly compileCache: string;
}

/** What Lambda sets, and what the function asks for: nothing of the user's own environment, keys least of all. */
export const environmentVariables = ({
  config,
  version,
  provisioned,
  id,
  scratch,
  compileCache,
}: EnvironmentIdentity): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
  LANG: 'en_US.UTF-8',
  TZ: ':UTC',
  // With it, no SDK finds the user's ~/.aws.
  HOME: scratch,
  // os.tmpdir() is /tmp on Lambda; here it is a folder that goes with the environment.
  TMPDIR: scratch,
  // No types to strip and no code to compile again: half the time and CPU of a start, two thirds of its memory.
  NODE_COMPILE_CACHE: compileCache,
  NODE_PATH: config.nodePath.join(delimiter),
  LAMBDA_TASK_ROOT: config.codeDirectory,
  _HANDLER: config.handler,
  AWS_REGION: config.region,
  AWS_DEFAULT_REGION: config.region,
  AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split('.')[0]}.x`,
  AWS_LAMBDA_FUNCTION_NAME: config.name,
  AWS_LAMBDA_FUNCTION_VERSION: version,
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(config.memorySizeMb),
  AWS_LAMBDA_INITIALIZATION_TYPE: provisioned ? 'provisioned-concurrency' : 'on-demand',
  AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${config.name}`,
  AWS_LAMBDA_LOG_STREAM_NAME: `local/[${version}]${id}`,
  AWS_EC2_METADATA_DISABLED: 'true',
  ...config.environment,
});
