import { CloudWatchError } from './cloudwatch-error.ts';

export interface PagePosition {
  /** How much came on the pages before. */
  readonly offset: number;
  /** When the first page was read: later pages show the same moment. */
  readonly asOfMs: number;
}

export const encodeToken = ({ offset, asOfMs }: PagePosition): string =>
  Buffer.from(`${offset},${asOfMs}`).toString('base64url');

/** @throws CloudWatchError InvalidNextToken */
export const decodeToken = (token: string | undefined): PagePosition | undefined => {
  if (token === undefined || token === '') return undefined;
  const [, offset, asOfMs] = /^(\d{1,15}),(\d{1,15})$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (offset === undefined)
    throw new CloudWatchError('InvalidNextToken', 'The parameter NextToken is invalid.');
  return { offset: Number(offset), asOfMs: Number(asOfMs) };
};
