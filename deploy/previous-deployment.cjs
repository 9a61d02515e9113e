/** The template that a deployment leaves in the framework's bucket, below its time: `1763900000000-2025-11-23T...`. */
const TEMPLATE = /\/(\d+)-[^/]+\/compiled-cloudformation-template\.json$/;

/**
 * When the deployment before the last one was made, in epoch milliseconds: where `serverless rollback` goes when no timestamp is given.
 * @throws Error when there is none
 */
module.exports.findPreviousDeployment = async (provider, service) => {
  const { S3Client, paginateListObjectsV2 } = require('@aws-sdk/client-s3');
  const client = new S3Client(await provider.getAwsSdkV3Config());
  const Bucket = await provider.getServerlessDeploymentBucketName();
  const Prefix = `${provider.getDeploymentPrefix()}/${service}/${provider.getStage()}/`;

  const times = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix })) {
    for (const { Key } of Contents) {
      const [, time] = TEMPLATE.exec(Key) ?? [];
      if (time !== undefined) times.push(Number(time));
    }
  }
  const [, previous] = times.sort((a, b) => b - a);
  if (previous === undefined) {
    throw new Error(
      `there is no earlier deployment to go back to: ${Bucket} has ${times.length} below ${Prefix}; deploy again from an older commit instead`,
    );
  }
  return previous;
};
