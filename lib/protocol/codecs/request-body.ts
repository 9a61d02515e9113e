import { isUtf8 } from 'node:buffer';
import type { RequestBody } from './codec.ts';
import { invalidInput } from './invalid-input.ts';

/** @param isBase64Encoded as API Gateway says it: true when `body` is base64 of the bytes that the client sent */
export const requestBody = (
  body: string,
  isBase64Encoded: boolean,
  contentType: string | undefined,
): RequestBody => {
  const bytes = (): Buffer => Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  return {
    bytes,
    text() {
      if (!isBase64Encoded) return body;
      const sent = bytes();
      if (isUtf8(sent)) return sent.toString();
      throw invalidInput('the body is not UTF-8 text: send JSON or CSV encoded as UTF-8');
    },
    parameter: (name) => mediaTypeParameter(contentType ?? '', name),
  };
};

/** `type/subtype; name=value`, the value perhaps in quotes (RFC 9110, 5.6.6). */
const mediaTypeParameter = (mediaType: string, name: string): string | undefined => {
  for (const part of mediaType.split(';').slice(1)) {
    const [key = '', value = ''] = part.split('=', 2);
    if (key.trim().toLowerCase() === name) return value.trim().replace(/^"(.*)"$/, '$1');
  }
  return undefined;
};
