import { describe, expect, it } from 'vitest';
import { readEnv } from '../../lib/env.ts';

describe('readEnv', () => {
  it('names the variable that is missing', () => {
    expect(() => readEnv({}).text('TABLE_NAME')).toThrow('environment variable TABLE_NAME is missing');
    expect(() => readEnv({ TABLE_NAME: '' }).text('TABLE_NAME')).toThrow('TABLE_NAME is missing');
  });

  it('falls back only where there is no value', () => {
    const env = readEnv({ EMPTY: '', SET: 'x' });

    expect(env.optionalText('ABSENT', 'fallback')).toBe('fallback');
    expect(env.optionalText('EMPTY', 'fallback')).toBe('fallback');
    expect(env.optionalText('SET', 'fallback')).toBe('x');
    expect(env.integer('ABSENT', { min: 1, max: 9, fallback: 5 })).toBe(5);
  });

  it('takes one of some values, and names them where it is none', () => {
    expect(readEnv({}).oneOf('LIMITS', ['aws', 'off'], 'off')).toBe('off');
    expect(readEnv({ LIMITS: 'aws' }).oneOf('LIMITS', ['aws', 'off'], 'off')).toBe('aws');
    expect(() => readEnv({ LIMITS: 'on' }).oneOf('LIMITS', ['aws', 'off'], 'off')).toThrow(
      'environment variable LIMITS must be one of aws, off, but is "on"',
    );
  });

  it.each(['0', '10', '1.5', 'three', ' ', 'NaN'])('refuses the number %j outside 1 to 9', (value) => {
    expect(() => readEnv({ N: value }).integer('N', { min: 1, max: 9, fallback: 5 })).toThrow(
      'environment variable N must be a whole number from 1 to 9',
    );
  });
});
