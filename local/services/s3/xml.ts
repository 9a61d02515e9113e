import { XMLParser } from 'fast-xml-parser';
import { S3Error } from './s3-error.ts';

/** An element's content: text, a list of elements of that name, or elements by name; `undefined` leaves it out. */
export type Xml = string | number | boolean | undefined | readonly Xml[] | { readonly [name: string]: Xml };

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

export const writeXml = (root: string, content: Xml, { namespace = NAMESPACE } = {}): string => {
  const attribute = namespace === '' ? '' : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${writeContent(content)}</${root}>`;
};

const writeContent = (content: Xml): string => {
  if (content === undefined) return '';
  if (typeof content !== 'object') return escapeText(String(content));
  return Object.entries(content)
    .flatMap(([name, value]) =>
      Array.isArray(value) ? value.map((each) => [name, each] as const) : [[name, value] as const],
    )
    .map(([name, value]) => (value === undefined ? '' : `<${name}>${writeContent(value)}</${name}>`))
    .join('');
};

const escapeText = (text: string): string =>
  text.replaceAll(/[&<>"\r]/g, (character) => `&#${character.charCodeAt(0)};`);

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  ignoreDeclaration: true,
});

/** @throws S3Error MalformedXML */
export const parseXml = (text: string): Readonly<Record<string, unknown>> => {
  try {
    return parser.parse(text, true) as Record<string, unknown>;
  } catch (cause) {
    throw new S3Error('MalformedXML', 'The XML you provided was not well-formed', { cause });
  }
};

/** The elements of a name: none, one or several look different once parsed. */
export const elements = (parent: unknown, name: string): readonly Readonly<Record<string, unknown>>[] => {
  const value = (parent as Record<string, unknown> | undefined)?.[name];
  if (value === undefined || value === '') return [];
  return (Array.isArray(value) ? value : [value]) as Record<string, unknown>[];
};
