import { encoder, isPassedOver, optional, readMaxKeys, readPage } from './listing.ts';
import { type Operation, readXmlBody, type S3Request, xmlAnswer } from './operation.ts';
import { S3Error } from './s3-error.ts';
import { isDeleteMarker, parseVersionId, sequenceOf, VERSIONING, versionIdOf } from './version.ts';
import type { ListedVersion, VersionMarker } from './version-history.ts';
import { parseXml, writeXml, type Xml } from './xml.ts';

const OWNER = { ID: 'local', DisplayName: 'local' };

export const getBucketVersioning: Operation = async ({ store, bucket }) => {
  store.requireBucket(bucket);
  return xmlAnswer(writeXml('VersioningConfiguration', { Status: store.versioning(bucket) }));
};

export const putBucketVersioning: Operation = async ({ request, store, bucket }) => {
  store.requireBucket(bucket);
  const asked = parseXml(await readXmlBody(request))['VersioningConfiguration'] as
    | Readonly<Record<string, unknown>>
    | undefined;
  if (asked?.['Status'] === undefined) {
    throw new S3Error('IllegalVersioningConfigurationException', 'The Versioning element must be specified');
  }
  if (asked['MfaDelete'] === 'Enabled') throw new S3Error('NotImplemented', 'The local S3 has no MFA delete');
  const status = VERSIONING.find((each) => each === asked['Status']);
  if (status === undefined) throw new S3Error('MalformedXML', 'The XML you provided was not well-formed');
  await store.setVersioning(bucket, status);
  return { status: 200 };
};

export const listObjectVersions: Operation = async (request) => {
  const { store, bucket, query } = request;
  store.requireBucket(bucket);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const last = query.get('key-marker') ?? '';
  const maxKeys = readMaxKeys(query);
  const encode = encoder(query);
  const after = await readMarker(request);

  const { contents, commonPrefixes, next } = await readPage(
    store.listVersions(bucket, { prefix, ...(after === undefined ? {} : { after }) }),
    { prefix, delimiter, maxKeys, after: { last, isPrefix: isPassedOver(last, { prefix, delimiter }) } },
  );

  const lastVersion = next === undefined || next.isPrefix ? undefined : contents.at(-1)?.[1].version;
  const describeEach = (areMarkers: boolean): readonly Xml[] =>
    contents
      .filter(([, { version }]) => isDeleteMarker(version) === areMarkers)
      .map((entry) => describe(entry, encode));
  return xmlAnswer(
    writeXml('ListVersionsResult', {
      Name: bucket,
      Prefix: encode(prefix),
      KeyMarker: encode(last),
      VersionIdMarker: query.get('version-id-marker') ?? '',
      NextKeyMarker: next && encode(next.last),
      NextVersionIdMarker: lastVersion && versionIdOf(lastVersion),
      Delimiter: optional(query.get('delimiter'), encode),
      MaxKeys: maxKeys,
      EncodingType: query.get('encoding-type') ?? undefined,
      IsTruncated: next !== undefined,
      Version: describeEach(false),
      DeleteMarker: describeEach(true),
      CommonPrefixes: commonPrefixes.map((each) => ({ Prefix: encode(each) })),
    }),
  );
};

const readMarker = async ({ store, bucket, query }: S3Request): Promise<VersionMarker | undefined> => {
  const key = query.get('key-marker') ?? '';
  const versionId = query.get('version-id-marker') ?? '';
  if (versionId === '') return key === '' ? undefined : { key };
  if (key === '') {
    throw new S3Error('InvalidArgument', 'A version-id marker cannot be specified without a key marker.');
  }
  const sequence = parseVersionId(versionId);
  if (sequence !== undefined) return { key, sequence };
  const version = await store.getVersion(bucket, key, versionId);
  // Where `null` was is not known once it is deleted: rather some versions twice than some never.
  return { key, sequence: version === undefined ? Number.POSITIVE_INFINITY : sequenceOf(version) };
};

const describe = (
  [key, { version, isLatest }]: readonly [string, ListedVersion],
  encode: (text: string) => string,
): Xml => {
  const ofBoth = {
    Key: encode(key),
    VersionId: versionIdOf(version),
    IsLatest: isLatest,
    LastModified: new Date(version.lastModifiedMs).toISOString(),
    Owner: OWNER,
  };
  if (isDeleteMarker(version)) return ofBoth;
  return { ...ofBoth, ETag: version.etag, Size: version.sizeBytes, StorageClass: 'STANDARD' };
};
