import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../deploy/inputs.ts';
import type { EndpointFile } from './endpoint-file.ts';
import { diabetesModel } from './seed.ts';
import type { Settings } from './settings.ts';

/** What a start prints: where the endpoint is, and two ways to call it that work as printed. */
export const welcome = async (endpoint: EndpointFile, settings: Settings): Promise<string> => {
  const model = settings.models > 0 ? diabetesModel(1) : 'iris.tar.gz';
  const body = JSON.stringify({ instances: [await sampleRow(model)] });
  const { url, functionUrl, endpointName, region, accessKeyId, secretAccessKey, bucket, prefix, apiKey } =
    endpoint;
  const keyHeader = apiKey === undefined ? '' : ` -H 'x-api-key: ${apiKey}'`;

  return `
endpoint    ${endpointName}
url         ${url}${functionUrl === undefined ? '' : `   (calls of up to a minute: ${functionUrl}, the function URL)`}
models      s3://${bucket}/${prefix}
keys        ${accessKeyId} / ${secretAccessKey}   (region ${region}; ${CHECKED[endpoint.authentication]})
limits      ${settings.limits}   (LOCAL_LIMITS=aws|off)

curl:
curl -s ${url}/endpoints/${endpointName}/invocations -H 'Content-Type: application/json' -H 'X-Amzn-SageMaker-Target-Model: ${model}'${keyHeader} -d '${body}'

boto3:
import boto3
runtime = boto3.client("sagemaker-runtime", endpoint_url="${url}", region_name="${region}",
    aws_access_key_id="${accessKeyId}", aws_secret_access_key="${secretAccessKey}")
print(runtime.invoke_endpoint(EndpointName="${endpointName}", TargetModel="${model}",
    ContentType="application/json", Body='${body}')["Body"].read().decode())

ready`;
};

/** Turned off, it says so. */
const CHECKED: Readonly<Record<EndpointFile['authentication'], string>> = {
  keys: 'checked, as is x-api-key',
  iam: "authentication is IAM's, which nobody asks here: everybody may call",
  none: 'authentication is off: everybody may call',
};

const sampleRow = async (model: string): Promise<readonly number[]> => {
  const name = model.startsWith('diabetes') ? 'diabetes' : 'iris';
  const path = join(ROOT, 'examples', 'sklearn', 'artifacts', `${name}.expected.json`);
  const { inputs } = JSON.parse(await readFile(path, 'utf8')) as { inputs: readonly (readonly number[])[] };
  return inputs[0] ?? [];
};
