import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { Deployed } from './deployed.ts';
import { Unable } from './unable.ts';

/** A deployment, with what its stack says where the caller has not. */
export interface FoundDeployment extends Deployed {
  readonly bucket: string;
  readonly endpointName: string;
}

/**
 * Reads the outputs of a deployment's stack, so that a bucket or an endpoint of one's own name needs no options. Who may not read stacks
 * gets the names that a deployment has by default.
 * @throws Unable when there is no such stack
 */
export const lookUpStack = async (deployed: Deployed): Promise<FoundDeployment> => {
  const { stage, service, region, bucket, endpoint } = deployed;
  const outputs = await readOutputs(region, `${service}-${stage}`);
  const url = endpoint ?? outputs.get('HttpApiUrl');
  return {
    ...deployed,
    bucket: bucket ?? outputs.get('ModelsBucketName') ?? `${service}-${stage}-models`,
    endpoint: url,
    endpointName: outputs.get('EndpointName') ?? `${service}-${stage}`,
  };
};

const readOutputs = async (region: string, StackName: string): Promise<ReadonlyMap<string, string>> => {
  const client = new CloudFormationClient({ region });
  try {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName }));
    return new Map(
      (stack?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    );
  } catch (error) {
    const { name, message } = error as Error;
    if (name.startsWith('AccessDenied')) return new Map();
    if (name === 'ValidationError' && message.includes('does not exist')) {
      throw new Unable(
        `there is no stack ${StackName} in ${region}: check --stage, --region and --service, or deploy it (npx serverless deploy --stage ...)`,
      );
    }
    throw error;
  } finally {
    client.destroy();
  }
};
