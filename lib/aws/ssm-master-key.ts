import { type AwsEnvironment, createSignedRequests, readText } from './signed-requests.ts';

const IDLE_MS = 2000;
const BYTES = 32;

/**
 * The master key, from a SecureString of SSM: read once per environment, by a plain signed request (the SDK's client would
 * double the router's bundle). Tried again after a failure.
 * @throws Error naming the parameter; never anything of its value
 */
export const ssmMasterKey = (environment: AwsEnvironment, name: string): (() => Promise<Buffer>) => {
  const requests = createSignedRequests({ service: 'ssm', environment, idleMs: IDLE_MS });
  let reading: Promise<Buffer> | undefined;

  const read = async (): Promise<Buffer> => {
    const response = await requests.send({
      action: 'ssm:GetParameter',
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.GetParameter' },
      body: JSON.stringify({ Name: name, WithDecryption: true }),
    });
    const text = await readText(response);
    if (response.statusCode !== 200) {
      throw new Error(
        `SSM answered ${response.statusCode} for parameter ${name}: npx mme keys create makes it`,
      );
    }
    const { Parameter } = JSON.parse(text) as { readonly Parameter?: { readonly Value?: string } };
    const key = Buffer.from(Parameter?.Value ?? '', 'base64');
    if (key.length !== BYTES) throw new Error(`parameter ${name} should be ${BYTES} bytes in base64`);
    return key;
  };

  return () => {
    reading ??= read().catch((error: unknown) => {
      reading = undefined;
      throw error;
    });
    return reading;
  };
};
