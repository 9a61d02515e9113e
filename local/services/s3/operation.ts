import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { readBody } from '../../read-body.ts';
import type { ObjectStore } from './object-store.ts';
import { S3Error } from './s3-error.ts';

/** A request as operations see it. */
export interface S3Request {
  readonly request: IncomingMessage;
  readonly method: string;
  /** Empty for the service itself. */
  readonly bucket: string;
  /** Empty for a bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly store: ObjectStore;
}

export interface S3Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string | Readable;
}

export type Operation = (request: S3Request) => Promise<S3Answer>;

const MAX_XML_BYTES = 2 * 1024 * 1024;

/** @throws S3Error MalformedXML for a document over 2 MiB; 1,000 keys or 10,000 parts fit well below. */
export const readXmlBody = async (request: IncomingMessage): Promise<string> => {
  const body = await readBody(request, MAX_XML_BYTES);
  if (body === undefined) throw new S3Error('MalformedXML', 'The XML you provided is too long');
  return body.toString();
};

export const xmlAnswer = (body: string): S3Answer => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body,
});

/** A whole number from the query, within bounds. */
export const queryInteger = (
  query: URLSearchParams,
  name: string,
  { min, max, fallback }: { min: number; max: number; fallback: number },
): number => {
  const text = query.get(name);
  const value = text === null || text === '' ? fallback : Number(text);
  if (!Number.isInteger(value) || value < min) {
    throw new S3Error('InvalidArgument', `Argument ${name} must be an integer of at least ${min}`);
  }
  return Math.min(value, max);
};
