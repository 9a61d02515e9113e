/**
 * What the inference functions may read beside their own models: the prefixes that `option.model_id` may point below. The
 * bucket of the models is always among them, as a policy's list must not be empty.
 */
module.exports.objects = async (context) =>
  (await locations(context)).map(({ bucket, key }) => arn(`${bucket}/${key}`));

module.exports.buckets = async (context) =>
  [...new Set((await locations(context)).map(({ bucket }) => bucket))].map(arn);

const locations = async ({ resolveVariable }) => {
  const bucket = await resolveVariable('param:bucket');
  const prefixes = String((await resolveVariable('param:weightsPrefixes')) ?? '');
  const more = prefixes
    .split(',')
    .map((prefix) => prefix.trim())
    .filter((prefix) => prefix !== '');
  return [{ bucket, key: 'models/*' }, ...more.map(parsePrefix)];
};

const parsePrefix = (prefix) => {
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/.exec(prefix) ?? [];
  if (bucket === undefined) {
    throw new Error(
      `parameter weightsPrefixes should be s3://bucket/prefix/, more between commas, but has ${JSON.stringify(prefix)}`,
    );
  }
  return { bucket, key: key.endsWith('/') ? `${key}*` : key };
};

const arn = (resource) => ({ 'Fn::Sub': `arn:\${AWS::Partition}:s3:::${resource}` });
