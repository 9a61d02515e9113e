export interface PolicyException {
  /** Checkov's name of the rule (checkov.io, "Policy index"). */
  readonly check: string;
  /** Resources that it is not kept for; every other one keeps it. */
  readonly resources: RegExp;
  readonly reason: string;
}

const FUNCTIONS = /^AWS::Lambda::Function\./;

/** Where the stack does otherwise than a rule says, and why. One that nothing needs any more fails the test as well. */
export const POLICY_EXCEPTIONS: readonly PolicyException[] = [
  {
    check: 'CKV_AWS_115',
    resources: FUNCTIONS,
    reason:
      'Reserved concurrency takes from all other functions of the account, and a new account has ten in all: off by default. What a caller may ask for is bounded by keys, workers by workerBudget.',
  },
  {
    check: 'CKV_AWS_116',
    resources: FUNCTIONS,
    reason:
      'Dead letters of the two that read queues are their queues’ own. The others are called synchronously, but for the scaler, whose next tick does what one has not done.',
  },
  {
    check: 'CKV_AWS_117',
    resources: FUNCTIONS,
    reason:
      'Nothing here is in a VPC: all calls go to AWS services over TLS, with roles. A VPC would cost endpoints or a NAT gateway by the hour, more than the rest of the stack at rest.',
  },
  {
    check: 'CKV_AWS_119',
    resources: /CatalogTable$/,
    reason:
      'Encrypted with the key that AWS manages for DynamoDB. A key of one’s own is $1 a month and a charge per request; who needs one sets it in deploy/storage.yml.',
  },
  {
    check: 'CKV_AWS_158',
    resources: /^AWS::Logs::LogGroup\./,
    reason: 'CloudWatch Logs encrypts with a key of its own. Logs have no payloads, keys or secrets.',
  },
  {
    check: 'CKV_AWS_173',
    resources: FUNCTIONS,
    reason:
      'Variables are names and numbers. Lambda encrypts them with its own key; the one secret is in SSM.',
  },
  {
    check: 'CKV_AWS_18',
    resources: /^AWS::S3::Bucket\.(ModelsBucket|ServerlessDeploymentBucket)$/,
    reason:
      'Access logs need another bucket and cost for each request. CloudTrail’s data events do the same where an audit asks for it.',
  },
  {
    check: 'CKV_AWS_21',
    resources: /^AWS::S3::Bucket\.ServerlessDeploymentBucket$/,
    reason: 'Artifacts of a deployment have a new name each time and are never overwritten.',
  },
  {
    check: 'CKV_AWS_258',
    resources: /RouterLambdaFunctionUrl$/,
    reason:
      'Public as the HTTP API is: the router itself checks signatures and API keys. With authentication=iam it is AWS_IAM, which another test holds.',
  },
  {
    check: 'CKV_AWS_26',
    resources: /AlarmsTopic$/,
    reason:
      'CloudWatch cannot publish to a topic that is encrypted with the key that AWS manages for SNS. What goes through it are names and figures of alarms, which then travel as mail.',
  },
  {
    check: 'CKV_AWS_27',
    resources: /^AWS::SQS::Queue\./,
    reason: 'Encrypted by SQS with its own key (SqsManagedSseEnabled), which the rule does not know.',
  },
  {
    check: 'CKV_AWS_95',
    resources: /HttpApiStage$/,
    reason:
      'A line for each request would cost half as much again as the API itself. Metrics count them, and the router logs failures with their request id.',
  },
];
