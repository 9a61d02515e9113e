import { describe, expect, it } from 'vitest';
import { answerCodec, requestCodec } from '../../../../lib/protocol/codecs/registry.ts';

describe('requestCodec', () => {
  it.each([
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['application/json', 'application/json'],
    ['application/json; charset=utf-8', 'application/json'],
    ['Application/JSON;charset=UTF-8', 'application/json'],
    ['text/csv', 'text/csv'],
    [' text/csv ; header=absent', 'text/csv'],
  ])('reads the Content-Type %j as %s', (contentType, mediaType) => {
    expect(requestCodec(contentType).mediaType).toBe(mediaType);
  });

  it.each(['text/plain', 'json', 'application/json, text/csv', '*/*'])('refuses %j', (contentType) => {
    expect(() => requestCodec(contentType)).toThrow(
      expect.objectContaining({
        code: 'ValidationError',
        message: expect.stringContaining(
          `ContentType ${JSON.stringify(contentType)} is not supported: send one of application/json, text/csv, `,
        ),
      }),
    );
  });
});

describe('answerCodec', () => {
  it.each([
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['text/*', 'text/csv'],
    ['text/csv', 'text/csv'],
    ['TEXT/CSV', 'text/csv'],
    ['text/csv, application/json', 'text/csv'],
    ['text/csv;q=0.5, application/json', 'application/json'],
    ['text/csv ; q = 0.9, application/json;q=0.8', 'text/csv'],
    ['image/png, */*;q=0.1', 'application/json'],
    ['application/json;q=0, */*', 'text/csv'],
    ['text/html, application/xhtml+xml, text/csv;q=0.3', 'text/csv'],
  ])('chooses for the Accept %j %s', (accept, mediaType) => {
    expect(answerCodec(accept).mediaType).toBe(mediaType);
  });

  it.each(['image/png', 'image/*', 'application/json;q=0'])('refuses %j', (accept) => {
    expect(() => answerCodec(accept)).toThrow(
      expect.objectContaining({
        code: 'ValidationError',
        message: expect.stringContaining(
          `Accept ${JSON.stringify(accept)} is not supported: ask for one of application/json, text/csv, `,
        ),
      }),
    );
  });
});
