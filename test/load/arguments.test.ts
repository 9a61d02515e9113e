import { describe, expect, it } from 'vitest';
import { HELP, parseArguments, UsageError } from '../../load/arguments.ts';

describe('the flags', () => {
  it('have defaults that run as they are', () => {
    expect(parseArguments([])).toEqual({
      help: false,
      json: false,
      patterns: ['even'],
      pace: { kind: 'concurrency', connections: 8 },
      seconds: 10,
      models: undefined,
      prefix: 'diabetes-',
      remote: undefined,
    });
  });

  it.each([
    [['--pattern', 'hot'], { patterns: ['hot'] }],
    [['--pattern', 'all'], { patterns: ['even', 'hot', 'few'] }],
    [['--rate', '0.5'], { pace: { kind: 'rate', callsPerSecond: 0.5, maxInFlight: 1000 } }],
    [['--rate=200', '--max-in-flight=7'], { pace: { kind: 'rate', callsPerSecond: 200, maxInFlight: 7 } }],
    [['--concurrency', '32'], { pace: { kind: 'concurrency', connections: 32 } }],
    [['--seconds', '0.5', '--models', '40', '--prefix', 'm-'], { seconds: 0.5, models: 40, prefix: 'm-' }],
    [
      ['--url', 'https://a.example/dev', '--endpoint', 'e'],
      { remote: { url: 'https://a.example/dev', endpointName: 'e' } },
    ],
    [['--json', '--help'], { json: true, help: true }],
  ])('%j are understood', (args, expected) => {
    expect(parseArguments(args)).toMatchObject(expected);
  });

  it.each([
    [['--pattern', 'odd'], '--pattern must be even, hot, few or all, but is "odd"'],
    [['--rate', '10', '--concurrency', '2'], 'give --rate or --concurrency, not both'],
    [['--rate', '0'], '--rate must be a number above 0 and at most 100,000, but is "0"'],
    [['--rate=-5'], '--rate must be a number above 0 and at most 100,000, but is "-5"'],
    [['--rate', 'fast'], '--rate must be a number above 0 and at most 100,000, but is "fast"'],
    [['--concurrency', '1.5'], '--concurrency must be a whole number, but is "1.5"'],
    [['--max-in-flight', '5'], '--max-in-flight goes with --rate only'],
    [['--seconds', ''], '--seconds must be a number above 0 and at most 86,400, but is ""'],
    [['--models', '0'], '--models must be a number above 0 and at most 1,000,000, but is "0"'],
    [['--url', 'http://127.0.0.1:1'], '--url needs --endpoint too, the EndpointName to call there'],
    [['--endpoint', 'e'], '--endpoint needs --url too'],
    [['--url', 'ftp://a', '--endpoint', 'e'], '--url must be http:// or https://, but is "ftp://a"'],
    [['--url', 'http://[', '--endpoint', 'e'], '--url must be http:// or https://, but is "http://["'],
  ])('%j are refused', (args, message) => {
    expect(() => parseArguments(args)).toThrow(new UsageError(message));
  });

  it.each([[['--speed', '5']], [['even']], [['--rate']]])(
    '%j are refused as unknown or unfinished',
    (args) => {
      expect(() => parseArguments(args)).toThrow(UsageError);
    },
  );

  it('are all in the help', () => {
    const flags = 'pattern rate max-in-flight concurrency seconds models prefix url endpoint json help';

    for (const flag of flags.split(' ')) expect(HELP).toContain(`--${flag}`);
  });
});
