import { describe, expect, it } from 'vitest';
import { parseModelName } from '../../../lib/models/model-name.ts';

describe('parseModelName', () => {
  it.each([
    'm.tar.gz',
    'tenant-7/churn.tar.gz',
    'a/b/c d (1).tar.gz',
    'Kündigung/模型.tar.gz',
    'model.onnx',
    'a..b.tar.gz',
    'v1...tar.gz',
    `${'x'.repeat(1017)}.tar.gz`,
  ])('takes %j', (name) => {
    expect(parseModelName(name)).toBe(name);
  });

  it.each([
    ['', /should end in \.tar\.gz or \.onnx/],
    ['model', /should end in \.tar\.gz or \.onnx, as the artifact in S3 does/],
    ['model.zip', /should end in/],
    ['model.tar.gz/', /should end in/],
    [' m.tar.gz', /starts with white space/],
    ['\u00a0m.tar.gz', /starts with white space/],
    ['/m.tar.gz', /starts with a slash/],
    ['../m.tar.gz', /has a ".." segment/],
    ['a/../m.tar.gz', /has a ".." segment/],
    ['a\0.tar.gz', /has control characters/],
    ['a\nb.tar.gz', /has control characters/],
    ['a\u2028b.tar.gz', /has control characters/],
    ['\ud800.tar.gz', /has control characters/],
    [`${'x'.repeat(1018)}.tar.gz`, /has 1025 characters: at most 1024/],
  ])('refuses %j', (name, message) => {
    expect(() => parseModelName(name)).toThrow(message);
    expect(() => parseModelName(name)).toThrow(expect.objectContaining({ code: 'ValidationError' }));
  });

  it('repeats little of the name, and nothing that could break a log line', () => {
    expect(() => parseModelName(`a\n${'x'.repeat(500)}`)).toThrow(
      /^TargetModel "a\\nx{78}\.\.\." has control characters/,
    );
  });
});
