/**
 * A bucket that is there already: one of one's own, or the one that an earlier `serverless remove` has kept. CloudFormation makes buckets and takes
 * over none, so such a one stays out of the stack, and is told of the queue for its events here.
 */
const LOGICAL_ID = 'ModelsBucket';

/** @returns whether `bucket` is there and not the stack's; @throws Error when it is somebody else's, or elsewhere */
module.exports.isForeign = async (provider, bucket) => {
  if (await isOfStack(provider)) return false;
  const { HeadBucketCommand } = require('@aws-sdk/client-s3');
  const client = await s3Of(provider);
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
    return true;
  } catch (error) {
    const status = error.$metadata?.httpStatusCode;
    if (status === 404) return false;
    if (status === 403) {
      throw new Error(
        `bucket ${bucket} belongs to somebody else, or may not be read: names of buckets are unique in the world, so choose your own in serverless.yml (params, ${provider.getStage()}, bucket)`,
      );
    }
    if (status === 301 || status === 400) {
      throw new Error(
        `bucket ${bucket} is in another region than ${provider.getRegion()}: deploy to its region, or choose another bucket`,
      );
    }
    throw error;
  }
};

/** Takes the bucket, and what is said of it, out of a template. */
module.exports.leaveOut = ({ Resources }, bucket) => {
  delete Resources[LOGICAL_ID];
  for (const [id, { Type, Properties }] of Object.entries(Resources)) {
    if (Type === 'AWS::S3::BucketPolicy' && isOf(Properties.Bucket, bucket)) delete Resources[id];
    else if (Resources[id].DependsOn === LOGICAL_ID) delete Resources[id].DependsOn;
  }
};

const isOf = (value, bucket) => value === bucket || value?.Ref === LOGICAL_ID;

/**
 * The bucket tells the queue what happens to models; what it tells others stays. Of the stack's own bucket CloudFormation has seen to it, unless a
 * removal that did not end has undone it.
 */
module.exports.tellOfEvents = async (provider, { bucket, queueName, prefix }) => {
  const queueArn = await queueArnOf(provider, queueName);
  const tell = (event) => ({
    QueueArn: queueArn,
    Events: [event],
    Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: prefix }] } },
  });
  await changeQueues(provider, bucket, queueArn, [tell('s3:ObjectCreated:*'), tell('s3:ObjectRemoved:*')]);
};

/** Before the queue goes: a bucket that names a queue which is not there takes no other settings any more. */
module.exports.tellNobody = async (provider, { bucket, queueName }) => {
  try {
    await changeQueues(provider, bucket, await queueArnOf(provider, queueName), []);
  } catch (error) {
    if (error.name !== 'NoSuchBucket') throw error;
  }
};

const changeQueues = async (provider, Bucket, queueArn, ours) => {
  const {
    GetBucketNotificationConfigurationCommand,
    PutBucketNotificationConfigurationCommand,
  } = require('@aws-sdk/client-s3');
  const client = await s3Of(provider);
  const { $metadata, ...found } = await client.send(
    new GetBucketNotificationConfigurationCommand({ Bucket }),
  );
  const { QueueConfigurations: before = [] } = found;
  const others = before.filter(({ QueueArn }) => QueueArn !== queueArn);
  if (before.length - others.length === ours.length) return;
  await client.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration: { ...found, QueueConfigurations: [...others, ...ours] },
    }),
  );
};

const isOfStack = async (provider) => {
  const { DescribeStackResourceCommand } = require('@aws-sdk/client-cloudformation');
  const client = await provider.getCloudFormationClient();
  const input = { StackName: provider.naming.getStackName(), LogicalResourceId: LOGICAL_ID };
  try {
    const { StackResourceDetail } = await client.send(new DescribeStackResourceCommand(input));
    return !/DELETE_(COMPLETE|SKIPPED)/.test(StackResourceDetail?.ResourceStatus ?? '');
  } catch (error) {
    // Neither the stack nor such a resource in it.
    if (error.name === 'ValidationError') return false;
    throw error;
  }
};

const queueArnOf = async (provider, queueName) => {
  const region = provider.getRegion();
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return `arn:${partition}:sqs:${region}:${await provider.getAccountId()}:${queueName}`;
};

const s3Of = async (provider) => {
  const { S3Client } = require('@aws-sdk/client-s3');
  // The emulators that AWS_ENDPOINT_URL may name have no host for each bucket.
  const forcePathStyle = process.env.AWS_ENDPOINT_URL !== undefined;
  return new S3Client({ ...(await provider.getAwsSdkV3Config()), forcePathStyle });
};
